import type { BurstSettings } from "../config/burst-settings.ts";
import type { CampaignItem, FleetItem, HostItem, InventoryItem, TrunkItem } from "../store/items.ts";
import type { SuppressionList } from "../suppression/suppressed-by.ts";
import type { CampaignCounts } from "./counts.ts";
import type { Tally } from "./explain-contacts.ts";

/** All that an explanation depends on; read by read-explain.ts. */

/** Contacts as far as they were read. */
export interface ReadContacts extends Tally {
	/** Every contact was read: claimed ones and what ended is exact. */
	whole: boolean;
	/** Every pending contact was read. */
	allPending: boolean;
}

export interface ExplainInput {
	now: number;
	campaign: CampaignItem;
	/** Read before the contacts. */
	counts: CampaignCounts;
	contacts: ReadContacts;
	/** Those of the campaign, as far as they are there. */
	trunks: readonly TrunkItem[];
	/** All of the tenant. */
	hosts: readonly HostItem[];
	/** Of hosts that are up, where the campaign needs a sound or a context. */
	inventories: ReadonlyMap<string, InventoryItem>;
	/** Other campaigns that are entered on its trunks, as far as they were read. */
	others: ReadonlyMap<string, Pick<CampaignItem, "state" | "priority">>;
	lists: readonly SuppressionList[];
	fleet: Pick<FleetItem, "intents" | "boots" | "decision">;
	burst: Pick<BurstSettings, "bootSec" | "launchTemplate">;
	/** A host silent for longer is not counted upon. */
	lostAfterSec: number;
}
