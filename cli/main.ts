#!/usr/bin/env node
import { requireNode } from "../scripts/require-node.ts";
import { processIo } from "./io.ts";
import { runCli } from "./program.ts";

requireNode();

// A reader that goes away (`… | head`) is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code === "EPIPE") process.exit(0);
	throw error;
});

process.exitCode = await runCli(processIo());
