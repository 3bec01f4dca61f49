import { requireNode } from "../scripts/require-node.ts";

requireNode();
// Loaded after the check: what follows needs the newer Node to be read at all.
const { main } = await import("./runs/bench-command.ts");
await main(process.argv.slice(2));
