#!/usr/bin/env node
import { runProgram } from "./program.ts";

const exitCode = await runProgram(process.argv.slice(2));
// Exit explicitly: a client whose broker does not answer may keep the process alive long after `close`.
process.stdout.write("", () => process.exit(exitCode));
