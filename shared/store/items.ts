/**
 * What the tables hold, a file for each. Every key begins with the tenant (tokens excepted: the tenant is found by the token).
 * Field names are short where the item is written for every call; each has its meaning there.
 */

export type { HostState } from "../fleet/life.ts";
export * from "./items/campaign.ts";
export * from "./items/contact.ts";
export * from "./items/fleet.ts";
export * from "./items/grant.ts";
export * from "./items/host.ts";
export * from "./items/idempotency.ts";
export * from "./items/ledger.ts";
export * from "./items/suppression.ts";
export * from "./items/token.ts";
export * from "./items/trunk.ts";

/** The only tenant for now. */
export const DEFAULT_TENANT = "default";

/** Shards of a campaign's contacts: each is a partition of 1,000 write units a second. */
export const CONTACT_SHARDS = 4;
