import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repoRoot } from "./repo-root.ts";

/** Where Debian keeps RabbitMQ, in a directory that has the version in its name. */
const installed = "/usr/lib/rabbitmq/lib";

/** The modules that a RabbitMQ node of this version has loaded once it serves, with their files, as a term of Erlang. */
const moduleList = join(repoRoot, "var", `${versionName()}-modules.term`);

function versionName(): string {
  const names = existsSync(installed) ? readdirSync(installed) : [];
  return names.find((name) => name.startsWith("rabbitmq_server-")) ?? "rabbitmq";
}

// The node starts another Erlang for a moment, which needs no modules. A module that runs code when it is loaded
// is refused, and with it all others of the call.
const loadTogether = `
os:unsetenv("ERL_AFLAGS").
{ok, [Files]} = file:consult("${moduleList}").
Read = fun({Module, File}) ->
  case file:read_file(File) of
    {ok, Code} -> [{Module, File, Code}];
    _ -> []
  end
end.
Modules = lists:flatmap(Read, [Entry || {Module, _} = Entry <- Files, not erlang:module_loaded(Module)]).
case code:atomic_load(Modules) of
  {error, Refused} ->
    code:atomic_load([Entry || {Module, _, _} = Entry <- Modules, not lists:keymember(Module, 1, Refused)]);
  Loaded ->
    Loaded
end.
`;

/** False before a node has left the list, and after an update of RabbitMQ or Erlang. */
function isListed(): boolean {
  if (!existsSync(moduleList)) return false;
  const files = readFileSync(moduleList, "utf8").matchAll(/"([^"]+)"/g);
  return [...files].every(([, file = ""]) => existsSync(file));
}

/**
 * Environment with which a RabbitMQ node loads its modules together. Alone it finds, loads and announces one after
 * the other, which is more than 40 % of the processor time of a start. Empty as long as no node has left its list.
 * `directory` takes the program that the node runs.
 */
export function loadingTogether(directory: string): NodeJS.ProcessEnv {
  if (!isListed()) return {};
  const program = join(directory, "load-together.erl");
  writeFileSync(program, loadTogether);
  return { ERL_AFLAGS: `-eval file:eval(\\"${program}\\")` };
}

/** Leaves the list of the modules of a node if there is none that fits; `evaluate` runs a program in the node. */
export async function leaveModuleList(
  evaluate: (program: string) => Promise<string>,
): Promise<void> {
  if (isListed()) return;
  const made = `${moduleList}.${process.pid}`;
  const modules =
    "[{Module, File} || {Module, File} <- code:all_loaded(), is_list(File), filelib:is_regular(File)]";
  await evaluate(`ok = file:write_file("${made}", io_lib:format("~p.~n", [${modules}])).`);
  renameSync(made, moduleList);
}
