import { brokenLines } from "./output.ts";

/** Width at which prose is broken, in characters. */
const lineWidth = 80;

/** A section of a page: its heading, and its text for a terminal. */
export interface Section {
  readonly title: string;
  readonly text: string;
}

/** The sections of a Markdown page that have a heading of the second level, as plain text. */
export function sectionsOf(page: string): Section[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = "", ...lines] = section.split("\n");
      return { title, text: plainText(lines.join("\n").trim()) };
    });
}

/** Paragraphs lose their links and marks and are broken anew; code and tables stay as they are. */
export function plainText(markdown: string): string {
  return markdown
    .split(/\n{2,}/)
    .map((block) => (/^(```|\||\s)/.test(block) ? block : wrapped(withoutMarks(block))))
    .join("\n\n");
}

function withoutMarks(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[*`]/g, "");
}

/** A text with lines of at most 80 characters; items of a list begin lines of their own. */
export function wrapped(text: string): string {
  return text
    .split(/\n(?=- |\d+\. )/)
    .map((paragraph) => brokenLines(paragraph, lineWidth).join("\n"))
    .join("\n");
}
