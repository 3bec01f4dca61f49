import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ShownExplanation } from "../../shared/campaigns/read-explain.ts";
import type { GrantedCall } from "../../shared/contract/call.ts";
import { ApiError } from "../../shared/contract/errors.ts";
import type { SyncRequest } from "../../shared/contract/host.ts";
import { HOST_OUTCOMES } from "../../shared/contract/outcome.ts";
import { isUp } from "../../shared/fleet/life.ts";
import type { HostItem } from "../../shared/store/items.ts";
import { hello } from "../../shared/sync/hello.ts";
import { sync } from "../../shared/sync/sync.ts";
import { syncRequest } from "../support/control-plane.ts";
import { checkExplanation, isBlocked } from "../support/explain.ts";
import { newHost } from "../support/items.ts";
import { MemoryDynamo } from "../support/memory-dynamo.ts";
import { type Api, PRIVATE_TRUNK, startApi, TENANT } from "../unit/api/harness.ts";

/** Whatever was done and whatever is going on: the reasons of an explanation add up to the contacts that are not done, by the counters. */

const TRUNKS = ["carrier-a", "carrier-b"];
const HOSTS = ["pbx-1", "pbx-2"];
const ZONES = ["America/New_York", "Europe/London", "Australia/Sydney"];

interface Hand {
	epoch: number;
	seq: number;
	held: GrantedCall[];
}

/** The control plane in memory, hosts played by hand, and campaigns that an operator made. */
class World {
	readonly dynamo = new MemoryDynamo();
	readonly campaigns: string[] = [];
	readonly #hands = new Map<string, Hand>();
	api!: Api;
	/** Done once, as the next explanation comes to the contacts. */
	meanwhile: (() => Promise<unknown>) | undefined;

	async start(): Promise<void> {
		this.api = await startApi(
			this.dynamo.client({
				before: async ({ name, input }) => {
					if (name !== "Query" || input["TableName"] !== "contacts" || !this.meanwhile) return;
					const run = this.meanwhile;
					this.meanwhile = undefined;
					await run();
				},
			}),
		);
		for (const id of TRUNKS) await this.setTrunk(id, {});
		await this.api.call("PUT", "/v1/suppression/named", { body: { scope: "named", kind: "own" } });
		for (const hostId of HOSTS) {
			const item = newHost(hostId, 6, this.api.clock.now);
			await this.api.deps.db.send(new PutCommand({ TableName: "hosts", Item: item }));
			await this.turn(hostId, {});
		}
	}
	setTrunk(id: string, over: Record<string, unknown>) {
		const body = { ...PRIVATE_TRUNK, maxChannels: 8, maxCps: 5, ...over };
		return this.api.call("PUT", `/v1/trunks/${id}`, { body });
	}
	post(i: number, what: string, body?: unknown) {
		const id = this.campaigns[i % Math.max(1, this.campaigns.length)];
		return id === undefined
			? undefined
			: this.api.call(what === "" ? "PATCH" : "POST", `/v1/campaigns/${id}${what}`, body === undefined ? {} : { body });
	}
	host(hostId: string): HostItem {
		return this.dynamo.peek("hosts", { tenant: TENANT, hostId }) as HostItem;
	}
	/** A sync, or first a hello; as far as the control plane lets it. */
	async turn(hostId: string, over: Partial<SyncRequest>): Promise<void> {
		const { deps } = this.api;
		const ref = { tenant: TENANT, hostId };
		try {
			let hand = this.#hands.get(hostId);
			if (!hand || hand.epoch !== this.host(hostId).epoch || !isUp(this.host(hostId).state)) {
				const { epoch } = await hello(deps, ref, { nonce: `nonce-${hostId}-${this.host(hostId).epoch}` });
				hand = { epoch, seq: 0, held: [] };
				this.#hands.set(hostId, hand);
			}
			const request = syncRequest(hand.epoch, hand.seq + 1, { live: hand.held.length, ...over });
			const { calls } = await sync(deps, ref, request);
			const gone = new Set([...request.completed.map(({ callId }) => callId), ...request.returned]);
			hand.held = [...hand.held.filter(({ callId }) => !gone.has(callId)), ...calls];
			hand.seq++;
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
		}
	}
	held(hostId: string): GrantedCall[] {
		return this.#hands.get(hostId)?.held ?? [];
	}
	async explain(campaignId: string): Promise<ShownExplanation> {
		const answer = await this.api.call("GET", `/v1/campaigns/${campaignId}/explain`);
		expect(answer.status).toBe(200);
		checkExplanation(answer.body);
		return answer.body;
	}
}

type Op = (world: World) => Promise<unknown> | undefined;

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
	fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const campaign = fc.record({
	trunks: fc.constantFrom(undefined, [{ id: "carrier-a" }, { id: "carrier-b", weight: 3 }]),
	maxChannels: fc.constantFrom(undefined, undefined, 1, 3, 20),
	maxCps: rarely(fc.integer({ min: 1, max: 3 })),
	priority: rarely(fc.integer({ min: 1, max: 20 })),
	window: rarely(
		fc.constantFrom(
			{ from: "08:00", to: "09:00", timeZone: "Europe/London" },
			{ from: "10:00", to: "18:00", timeZone: "Europe/London" },
		),
	),
	calleeLimit: rarely(fc.constant({ max: 1, perHours: 2 })),
	suppressionLists: rarely(fc.constant(["named"])),
	startInSec: rarely(fc.integer({ min: 1, max: 7_200 })),
	retry: fc.constantFrom(
		{ busy: { afterSec: 300, max: 2 } },
		{ busy: { afterSec: 1, max: 1 }, unknown: { afterSec: 60, max: 1 } },
	),
	then: fc.constantFrom({ wait: 5 }, { wait: 5 }, { wait: 5 }, { play: "storm" }),
});
/** Rows of few numbers, so that they meet again. */
const rows = fc.array(
	fc.record(
		{ n: fc.integer({ min: 0, max: 30 }), two: fc.boolean(), timeZone: fc.constantFrom(...ZONES) },
		{ requiredKeys: ["n"] },
	),
	{ minLength: 1, maxLength: 25 },
);
const row = ({ n, two, timeZone }: { n: number; two?: boolean; timeZone?: string }, i: number) => ({
	id: `c${i}-${n}`,
	...(two ? { numbers: [{ number: `10${n}` }, { number: `20${n}` }] } : { number: `10${n}` }),
	...(timeZone ? { timeZone } : {}),
});
const hostId = fc.constantFrom(...HOSTS);
const index = fc.nat(5);

const op: fc.Arbitrary<Op> = fc.oneof(
	{
		weight: 3,
		arbitrary: fc.record({ over: campaign, list: rows }).map(
			({ over: { startInSec, trunks, ...over }, list }): Op =>
				async ({ api, campaigns }) => {
					const startAt = startInSec && new Date(api.clock.now + startInSec * 1_000).toISOString();
					const body = {
						name: "any",
						...(trunks ? { trunks } : { trunk: "carrier-a" }),
						...over,
						...(startAt ? { startAt } : {}),
						contacts: list.map(row),
					};
					const { status, body: made } = await api.call("POST", "/v1/campaigns", { body });
					if (status === 201) campaigns.push(made.campaignId);
					// Rows are due one after the other, within some ms.
					api.clock.now += 10;
				},
		),
	},
	{
		weight: 8,
		arbitrary: fc
			.record({
				hostId,
				want: fc.nat(8),
				prefetch: fc.nat(2),
				ends: fc.array(fc.constantFrom(...HOST_OUTCOMES), { maxLength: 5 }),
				back: fc.nat(2),
			})
			.map(
				({ hostId: id, want, prefetch, ends, back }): Op =>
					(world) => {
						const held = world.held(id);
						const completed = ends.flatMap((outcome, i) => (held[i] ? [{ callId: held[i].callId, outcome }] : []));
						const returned = held.slice(completed.length, completed.length + back).map(({ callId }) => callId);
						const live = held.length - completed.length - returned.length;
						return world.turn(id, {
							want,
							prefetch,
							completed,
							returned,
							live,
							slots: { "carrier-a": want, "carrier-b": 1 },
						});
					},
			),
	},
	fc.record({ hostId, up: fc.boolean() }).map(
		({ hostId: id, up }): Op =>
			(world) =>
				world.turn(id, { trunks: { "carrier-a": up ? "up" : "down" }, state: up ? "up" : "asteriskDown" }),
	),
	fc.record({ hostId, what: fc.constantFrom("drain", "undrain") }).map(
		({ hostId: id, what }): Op =>
			({ api }) =>
				api.call("POST", `/v1/hosts/${id}/${what}`),
	),
	fc.record({ i: index, what: fc.constantFrom("/pause", "/resume", "/resume", "/cancel") }).map(
		({ i, what }): Op =>
			(world) =>
				world.post(i, what),
	),
	fc.record({ i: index, maxChannels: fc.integer({ min: 1, max: 9 }) }).map(
		({ i, maxChannels }): Op =>
			(world) =>
				world.post(i, "", { maxChannels }),
	),
	fc.record({ i: index, list: rows }).map(
		({ i, list }): Op =>
			(world) =>
				world.post(i, "/contacts", list.map(row)),
	),
	fc.constantFrom(5, 1_100, 20_000, 40_000, 400_000, 3_600_000).map(
		(ms): Op =>
			async ({ api }) => {
				api.clock.now += ms;
			},
	),
	fc.constantFrom("recovery" as const, "sweeps" as const, "imports" as const).map(
		(queue): Op =>
			async ({ api }) => {
				await api.tick();
				await api.deliver(queue, 3);
			},
	),
	fc.nat(30).map(
		(n): Op =>
			({ api }) =>
				api.call("POST", "/v1/opt-outs", { body: { number: `10${n}` } }),
	),
	fc.constantFrom("register", "own").map(
		(kind): Op =>
			({ api }) =>
				api.call("PUT", "/v1/suppression/named", { body: { scope: "named", kind } }),
	),
	fc
		.record({
			id: fc.constantFrom(...TRUNKS),
			hosts: fc.constantFrom("all", "steady", ["pbx-2"]),
			maxChannels: fc.integer({ min: 1, max: 8 }),
		})
		.map(
			({ id, ...over }): Op =>
				(world) =>
					world.setTrunk(id, over),
		),
);

describe("the reasons add up to the contacts that are not done", () => {
	test("after whatever was done", async () => {
		const mains = new Map<string, number>();
		await fc.assert(
			fc.asyncProperty(fc.array(op, { minLength: 15, maxLength: 60, size: "max" }), async (ops) => {
				const world = new World();
				await world.start();
				for (const run of ops) {
					await run(world);
					for (const id of world.campaigns.slice(-3)) {
						const { body: view } = await world.api.call("GET", `/v1/campaigns/${id}`);
						const found = await world.explain(id);
						expect(found.notDone).toBe(view.counts.total - view.counts.done);
						// Nothing goes on while it reads, so nothing is guessed.
						expect(found.estimated).toBe(false);
						const held = found.reasons.filter(({ reason }) => ["inCall", "granted", "lostHost"].includes(reason));
						expect(held.reduce((n, { contacts }) => n + contacts, 0)).toBe(view.counts.inProgress);
						mains.set(found.main ?? "done", (mains.get(found.main ?? "done") ?? 0) + 1);
					}
				}
			}),
			{ numRuns: 40, seed: 20_261_129 },
		);
		// The states were of many kinds.
		expect(mains.size).toBeGreaterThan(16);
	}, 120_000);

	test("while anything is done", async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(fc.tuple(op, op), { minLength: 10, maxLength: 30, size: "max" }), async (ops) => {
				const world = new World();
				await world.start();
				for (const [run, meanwhile] of ops) {
					await run(world);
					for (const id of world.campaigns.slice(-2)) {
						world.meanwhile = async () => meanwhile(world);
						await world.explain(id);
						world.meanwhile = undefined;
					}
				}
			}),
			{ numRuns: 40, seed: 20_261_130 },
		);
	}, 120_000);
});

test("of a campaign that is dialed as fast as its caps allow, the main reason is nothing that somebody must mend", async () => {
	const setting = fc.record({
		maxChannels: fc.integer({ min: 1, max: 12 }),
		trunkChannels: fc.integer({ min: 1, max: 12 }),
		maxCps: fc.constantFrom(1, 5, 500),
		contacts: fc.integer({ min: 1, max: 80 }),
		retry: fc.constantFrom({}, { busy: { afterSec: 30, max: 1 } }),
		outcomes: fc.array(fc.constantFrom("answered" as const, "busy" as const, "noAnswer" as const), { minLength: 1 }),
	});
	await fc.assert(
		fc.asyncProperty(setting, async ({ maxChannels, trunkChannels, maxCps, contacts, retry, outcomes }) => {
			const world = new World();
			await world.start();
			await world.setTrunk("carrier-a", { maxChannels: trunkChannels, maxCps });
			const list = Array.from({ length: contacts }, (_, i) => ({ number: String(1_000 + i) }));
			const body = { name: "full", trunk: "carrier-a", then: { wait: 5 }, maxChannels, retry, contacts: list };
			const { body: made } = await world.api.call("POST", "/v1/campaigns", { body });
			let drawn = 0;
			for (let second = 0; second < 20; second++) {
				world.api.clock.now += 1_000;
				for (const id of HOSTS) {
					const held = world.held(id);
					const ends = held.slice(0, Math.ceil(held.length / 4));
					const completed = ends.map(({ callId }) => ({
						callId,
						outcome: outcomes[drawn++ % outcomes.length] ?? ("answered" as const),
					}));
					const live = held.length - completed.length;
					const want = Math.max(0, 6 - live);
					await world.turn(id, { completed, live, want, slots: { "carrier-a": want } });
				}
				const found = await world.explain(made.campaignId);
				expect(isBlocked(found)).toBe(false);
				expect(found.words).not.toContain("if that stays so");
			}
		}),
		{ numRuns: 30, seed: 20_261_131 },
	);
}, 60_000);
