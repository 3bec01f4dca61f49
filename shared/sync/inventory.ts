import { PutCommand } from "@aws-sdk/lib-dynamodb";
import type { Inventory } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import { type InventoryItem, inventoryKey } from "../store/items.ts";
import type { HostRef } from "./world.ts";

/** Keeps the sounds and contexts that a host says it has; the last word counts. */
export const putInventory = async (deps: Deps, host: HostRef, inventory: Inventory): Promise<void> => {
	const item: InventoryItem = { ...inventory, ...inventoryKey(host.tenant, host.hostId) };
	await deps.db.send(new PutCommand({ TableName: deps.tables.hosts, Item: item }));
};
