import type { CommandWords } from "./command-words.ts";

/** The completion script for Windows PowerShell 5.1 and PowerShell 7. */
export function powershellScript(commands: readonly CommandWords[]): string {
  const subcommands = commands.map(({ path, subcommands: words }) => [path, words] as const);
  const options = commands.map(({ path, options: words }) => [path, words] as const);
  const values = commands.flatMap(({ path, options: words }) =>
    words.flatMap(({ flags, values: each }) =>
      each === "none" ? [] : flags.map((flag) => [`${path} ${flag}`, each] as const),
    ),
  );
  const choices = values.filter(([, each]) => typeof each !== "string");
  const others = values.filter(([, each]) => typeof each === "string").map(([key]) => key);
  return `# Completion of certwire for PowerShell: certwire completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName certwire -ScriptBlock {
  param($current, $ast, $position)
  $subcommands = @{
${subcommands.map(([path, words]) => `    ${quoted(path)} = ${table(words)}`).join("\n")}
  }
  $options = @{
${options.map(([path, words]) => `    ${quoted(path)} = ${table(words)}`).join("\n")}
  }
  $choices = @{
${choices.map(([key, words]) => `    ${quoted(key)} = ${list(words as readonly string[])}`).join("\n")}
  }
  # Of these the value is a path or a text: PowerShell completes paths by itself.
  $open = ${list(others)}
  $words = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { "$_" })
  $command = ''
  foreach ($word in ($words | Select-Object -Skip 1)) {
    if ($subcommands[$command].Contains($word)) { $command = "$command $word".Trim() }
  }
  $before = "$command $($words[-1])"
  if ($open -contains $before) { return }
  $offered = if ($choices.ContainsKey($before)) {
    $found = [ordered]@{}
    foreach ($choice in $choices[$before]) { $found[$choice] = $choice }
    $found
  } elseif ($current -like '-*') { $options[$command] } else { $subcommands[$command] }
  foreach ($text in $offered.Keys) {
    if ($text -like "$current*") {
      [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $offered[$text])
    }
  }
}
`;
}

function table(words: CommandWords["subcommands"]): string {
  const rows = words.map(({ text, description }) => `${quoted(text)} = ${quoted(description)}`);
  return `[ordered]@{ ${rows.join("; ")} }`;
}

function list(words: readonly string[]): string {
  return `@(${words.map(quoted).join(", ")})`;
}

/** A text in single quotes; typographic ones end a text in PowerShell as well. */
function quoted(text: string): string {
  return `'${text.replaceAll(/['‘’‚‛]/g, "$&$&")}'`;
}
