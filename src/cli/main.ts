#!/usr/bin/env node
import { runProgram } from "./program.ts";

// Exit explicitly: a client whose broker does not answer may keep the process alive long after `close`.
process.exit(await runProgram(process.argv.slice(2)));
