#!/usr/bin/env node
import { runProgram } from "./program.ts";

const exitCode = await runProgram(process.argv.slice(2));
// The client of a broker that does not answer may go on for long after it was told to close.
process.stdout.write("", () => process.exit(exitCode));
