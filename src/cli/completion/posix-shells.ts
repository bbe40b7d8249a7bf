import type { CommandWords, Values, Word } from "./command-words.ts";

/** What differs between bash and zsh. */
interface Dialect {
  readonly offerFiles: string;
  readonly offerDirectories: string;
  readonly offerWords: (words: readonly string[]) => string;
  readonly offerDescribed: (words: readonly Word[]) => string;
}

const bash: Dialect = {
  offerFiles:
    'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current")',
  offerDirectories:
    'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current")',
  offerWords: (words) =>
    `mapfile -t COMPREPLY < <(compgen -W ${quoted(words.join(" "))} -- "$current")`,
  offerDescribed: (words) => bash.offerWords(words.map(({ text }) => text)),
};

const zsh: Dialect = {
  offerFiles: "_files",
  offerDirectories: "_files -/",
  offerWords: (words) => `compadd -- ${words.map(quoted).join(" ")}`,
  offerDescribed: (words) => {
    const lines = words.map(({ text, description }) => quoted(`${text}:${description}`));
    return `choices=(${lines.join(" ")}); _describe certwire choices`;
  },
};

/** The completion script for bash 4 and later. */
export function bashScript(commands: readonly CommandWords[]): string {
  return `# Completion of certwire for bash: source <(certwire completion bash)
_certwire() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" command="" word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
${commandCases(commands)}
  done
${valueCases(commands, bash)}
${wordCases(commands, bash)}
}
complete -F _certwire certwire
`;
}

/** The completion script for zsh. */
export function zshScript(commands: readonly CommandWords[]): string {
  return `# Completion of certwire for zsh: source <(certwire completion zsh)
_certwire() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}" command="" word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
${commandCases(commands)}
  done
${valueCases(commands, zsh)}
${wordCases(commands, zsh)}
}
compdef _certwire certwire
`;
}

/** Finds the command that the line names. */
function commandCases(commands: readonly CommandWords[]): string {
  const names = commands.flatMap(({ path, subcommands }) =>
    subcommands.map(({ text }) => quoted(`${path} ${text}`)),
  );
  return `    case "$command $word" in
      ${names.join(" | ")})
        command="\${command:+$command }$word" ;;
    esac`;
}

/** Offers the values of the option before the cursor. */
function valueCases(commands: readonly CommandWords[], dialect: Dialect): string {
  const cases = commands.flatMap(({ path, options }) =>
    options
      .filter(({ values }) => values !== "none")
      .map(({ flags, values }) => {
        const patterns = flags.map((flag) => quoted(`${path} ${flag}`)).join(" | ");
        return `    ${patterns}) ${offerOf(values, dialect)}; return ;;`;
      }),
  );
  return `  case "$command $previous" in\n${cases.join("\n")}\n  esac`;
}

/** Offers subcommands, options and arguments. */
function wordCases(commands: readonly CommandWords[], dialect: Dialect): string {
  const cases = commands.map(({ path, subcommands, options, argument }) => {
    const optionWords = dialect.offerDescribed(options);
    const others =
      subcommands.length > 0 ? dialect.offerDescribed(subcommands) : offerOf(argument, dialect);
    return `    ${quoted(path)})
      if [[ "$current" == -* ]]; then ${optionWords}
      else ${others}
      fi ;;`;
  });
  return `  case "$command" in\n${cases.join("\n")}\n  esac`;
}

function offerOf(values: Values, dialect: Dialect): string {
  if (values === "file") return dialect.offerFiles;
  if (values === "directory") return dialect.offerDirectories;
  return typeof values === "string" ? ":" : dialect.offerWords(values);
}

/** A text in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
