import { markerKey } from "../../../shared/campaigns/open-campaigns.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import { addCounted } from "../../../shared/sync/counters.ts";
import { newCampaign, newChunk, newTrunk, TENANT } from "../items.ts";
import type { Attributes, Hooks, MemoryDynamo } from "../memory-dynamo.ts";
import type { DayCampaign, DayHost, DayLoad } from "./day-load.ts";
import type { Profile } from "./profile.ts";

const TRUNK = "carrier-1";
/** Of a campaign's contacts: one shard is enough where nobody reads them. */
const SHARDS = 1;

/**
 * The tables as they would be if the day's calls had been made by hosts: campaigns, the trunk, the hosts' calls and counters. Contacts are only
 * figures: whoever asks the index of due contacts is answered from the model, so a day of a million calls needs no million items.
 */
export class DayTables {
	readonly #dynamo: MemoryDynamo;
	readonly #profile: Profile;
	readonly #load: DayLoad;
	readonly #now: () => number;
	readonly #startMs: number;
	/** Campaigns that are in the tables, with the channels that they stand there with. */
	readonly #open = new Map<string, { campaign: DayCampaign; channels: number }>();

	constructor(dynamo: MemoryDynamo, profile: Profile, load: DayLoad, now: () => number, startMs: number) {
		this.#dynamo = dynamo;
		this.#profile = profile;
		this.#load = load;
		this.#now = now;
		this.#startMs = startMs;
	}

	#perform(name: "Put" | "Delete", table: string, what: object): void {
		const input = { TableName: table, [name === "Put" ? "Item" : "Key"]: what as Attributes };
		const result = this.#dynamo.perform({ name, input });
		if (!result.ok) throw result.error;
	}

	/** For the client of the code under test. */
	readonly hooks: Hooks = {
		rewrite: (statement) => {
			const { name, input } = statement;
			if (name !== "Query" || input["TableName"] !== "contacts") return statement;
			const values = Object.values(input["ExpressionAttributeValues"] as Record<string, unknown>);
			const shard = String(values.find((value) => typeof value === "string" && value.startsWith(`${TENANT}#`)));
			const campaign = this.#load.campaigns.find(({ id }) => shard === `${TENANT}#${id}#0`);
			// The base load never runs out of contacts.
			const due = Math.min(campaign?.due ?? 0, 1_000_000);
			const count = Math.min(due, Number(input["Limit"] ?? due));
			const contact = (i: number) => ({ shardKey: shard, contactKey: String(i), dueAt: this.#now() });
			const Items = input["Select"] === "COUNT" ? {} : { Items: Array.from({ length: count }, (_, i) => contact(i)) };
			const answer = { Count: count, ScannedCount: count, ...Items };
			return { instead: { ok: true, answer } };
		},
	};

	setUp(): void {
		const { maxChannels, maxCps } = this.#profile.trunk;
		this.#perform("Put", "trunks", newTrunk(TRUNK, { maxChannels, maxCps, numbering: "e164" }));
		this.#perform("Put", "trunks", { tenant: TENANT, trunkId: "#config", version: 1 });
	}

	/** A host's item after its sync of this second. */
	synced(item: HostItem, host: DayHost): HostItem {
		const held = Object.fromEntries([...host.byCampaign].filter(([, calls]) => calls > 0));
		return {
			...item,
			seq: item.seq + 1,
			live: host.live,
			held,
			quiet: host.quiet,
			lastSeenAt: this.#now(),
			health: "up",
			acc: { ...item.acc, ...addCounted(item.acc, host.ended.splice(0)) },
		};
	}

	/** Campaigns and the trunk as they stand in this second. */
	write(second: number, running: DayCampaign[]): void {
		for (const [id, { campaign }] of this.#open) {
			if (running.includes(campaign)) continue;
			this.#open.delete(id);
			this.#perform("Delete", "campaigns", markerKey(TENANT, id));
			this.#perform("Put", "campaigns", newCampaign(id, this.#now(), { trunk: TRUNK, state: "completed" }));
		}
		for (const campaign of running) {
			const channels = campaign.channelsAt(second);
			const before = this.#open.get(campaign.id);
			if (before?.channels === channels) continue;
			if (!before) {
				this.#perform("Put", "campaigns", { ...markerKey(TENANT, campaign.id), createdAt: this.#now() });
				// Whoever adds the base load's contacts does so in time.
				const accepted = Math.min(campaign.contacts, 1_000_000_000);
				this.#perform("Put", "campaigns", newChunk(campaign.id, "import-1", 0, accepted));
			}
			this.#open.set(campaign.id, { campaign, channels });
			this.#perform(
				"Put",
				"campaigns",
				newCampaign(campaign.id, this.#now(), {
					name: campaign.id,
					trunk: TRUNK,
					maxChannels: channels,
					shards: SHARDS,
					// Until the callee hangs up.
					then: { wait: 600 },
					ringTimeoutSec: 30,
					maxCallSec: campaign.calls.maxCallSec,
					startedAt: this.#startMs + campaign.startSec * 1_000,
					...(campaign.deadlineSec === undefined ? {} : { deadline: this.#startMs + campaign.deadlineSec * 1_000 }),
				}),
			);
		}
		const { maxChannels, maxCps } = this.#profile.trunk;
		const c = Object.fromEntries(
			[...this.#open.values()].map(({ campaign, channels }) => [
				campaign.id,
				{ cap: channels, free: channels - campaign.live },
			]),
		);
		const live = [...this.#open.values()].reduce((n, { campaign }) => n + campaign.live, 0);
		const trunk = newTrunk(TRUNK, { maxChannels, maxCps, numbering: "e164" }, c);
		this.#perform("Put", "trunks", { ...trunk, free: maxChannels - live });
	}
}
