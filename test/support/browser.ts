import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** Debian's Chromium; nothing is ever downloaded. */
const executablePath = "/usr/bin/chromium";

/** Starts a browser without a window; its user is root in containers, where its own sandbox does not work. */
export function startBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`${executablePath} is missing: run bash scripts/setup.sh test`);
  }
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** What a page does that the status page never may. */
export interface Misdeeds {
  readonly foreignRequests: string[];
  readonly policyViolations: string[];
  readonly errors: string[];
}

/** Watches a page from now on. `origin`: where it may send requests. */
export async function watch(page: Page, origin: string): Promise<Misdeeds> {
  const found: Misdeeds = { foreignRequests: [], policyViolations: [], errors: [] };
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) found.foreignRequests.push(request.url());
  });
  page.on("dialog", (dialog) => {
    found.errors.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => found.errors.push(error.message));
  await page.exposeFunction("certwireViolation", (text: string) => {
    found.policyViolations.push(text);
  });
  await page.addInitScript(`document.addEventListener("securitypolicyviolation", (event) => {
    certwireViolation(event.violatedDirective + " " + event.blockedURI);
  })`);
  return found;
}

/**
 * Texts whose contrast to what is behind them is below 4.5, the least that WCAG 2.2 AA asks of small text, as
 * `ratio: text`.
 */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const groundOf = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const [r, g, b, alpha = 1] = channels(getComputedStyle(at).backgroundColor);
        if (alpha === 1) return [r, g, b];
      }
      return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    while (walker.nextNode()) {
      const { parentElement: element, data } = walker.currentNode;
      if (data.trim() === "" || element.closest("noscript, .hidden") !== null) continue;
      const pair = [channels(getComputedStyle(element).color), groundOf(element)].map(luminance);
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      if (ratio < 4.5) faint.push(ratio.toFixed(2) + ": " + data.trim());
    }
    return faint;
  })()`);
}
