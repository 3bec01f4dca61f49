import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Deps } from "../../../shared/deps.ts";
import { getItem } from "../../../shared/store/db.ts";
import type { CampaignItem, HostItem, TrunkItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { peek } from "../../../shared/sync/peek.ts";
import {
	type Due,
	nextLeavesSince,
	Precedence,
	patienceMs,
	preferredTo,
	waitsNoMore,
} from "../../../shared/sync/precedence.ts";
import { decideShare, leavesUnused, type ShareInput, sum } from "../../../shared/sync/shares.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { newCampaign, newHost, newTrunk } from "../../support/items.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

const TIMES = { maxSyncIntervalMs: 1_000, peekIntervalMs: 2_000, peekWriteSec: 15 };
const PATIENCE = patienceMs(TIMES);
const NOW = 1_700_000_000_000;

const hostOf = (hostId: string, over: Partial<HostItem> = {}): HostItem => ({
	...newHost(hostId, 10, 0),
	tier: hostId.startsWith("b") ? "burst" : "steady",
	state: "active",
	lastSeenAt: NOW,
	...over,
});
const trunkOf = (shares: Record<string, number>, over: Partial<TrunkItem["trunk"]> = {}): TrunkItem => {
	const item = newTrunk("t1", { maxChannels: 100, maxCps: 1_000, numbering: "private" });
	const a = Object.fromEntries(
		Object.entries(shares).map(([id, n]) => [id, { e: 1, s: 1, n: { c: n }, at: 0, k: 0, gap: 0, valid: 0 }]),
	);
	return { ...item, a, trunk: { ...item.trunk, ...over } };
};
const comeFirst = (self: HostItem, hosts: HostItem[], shares: Record<string, number> = {}) =>
	preferredTo(self, hosts, new Map([["t1", trunkOf(shares)]]), NOW, TIMES)
		.map(({ host, room }) => [host.hostId, room])
		.filter(([, room]) => room !== 0);
const CAMPAIGN = newCampaign("campaign0000000c", NOW, { trunk: "t1" });
const dueOf = (...ages: number[]): Due[] =>
	ages.map((age, i) => ({ shardKey: "s", contactKey: `k${i}`, dueAt: NOW - age }));

describe("who comes first", () => {
	test("before a steady host nobody, before a burst host the steady ones with room", () => {
		const hosts = [hostOf("s1"), hostOf("s2"), hostOf("b1"), hostOf("b2")];
		expect(comeFirst(hostOf("s1"), hosts)).toEqual([]);
		expect(comeFirst(hostOf("b1"), hosts, { s1: 4, s2: 10 })).toEqual([["s1", 6]]);
	});
	test("of burst hosts the fuller one, of equal ones the lesser id", () => {
		const hosts = ["b1", "b2", "b3"].map((id) => hostOf(id));
		expect(comeFirst(hostOf("b1"), hosts, { b2: 3 })).toEqual([["b2", 7]]);
		expect(comeFirst(hostOf("b2"), hosts, { b2: 3 })).toEqual([]);
		expect(comeFirst(hostOf("b3"), hosts, { b2: 3 })).toEqual([
			["b1", 10],
			["b2", 7],
		]);
	});
	test("room is what neither shares nor calls that wait nor other people's take", () => {
		expect(comeFirst(hostOf("b1"), [hostOf("s1", { held: { c: 7 } })], { s1: 5 })).toEqual([["s1", 3]]);
		expect(comeFirst(hostOf("b1"), [hostOf("s1", { live: 9 })], { s1: 5 })).toEqual([["s1", 1]]);
		expect(comeFirst(hostOf("b1"), [hostOf("s1", { live: 12 })], { s1: 5 })).toEqual([]);
	});
	test.each([
		["drains", { state: "draining" as const }],
		["is lost", { state: "lost" as const }],
		["has no Asterisk", { health: "asteriskDown" as const }],
		["is stopping", { health: "stopping" as const }],
		["has calls and was not heard for seconds", { held: { c: 1 }, lastSeenAt: NOW - 4_001 }],
		["is idle and was not heard for as long as peeks allow", { lastSeenAt: NOW - 20_001 }],
	])("not one that %s", (_what, over) => {
		expect(comeFirst(hostOf("b1"), [hostOf("s1", over)])).toEqual([]);
	});
	test.each([
		["with calls was heard some seconds ago", { held: { c: 1 }, lastSeenAt: NOW - 4_000 }],
		["is idle and peeks", { lastSeenAt: NOW - 20_000 }],
		["has said nothing of its health yet", {}],
	])("one that %s", (_what, over) => {
		expect(comeFirst(hostOf("b1"), [hostOf("s1", over)])).toHaveLength(1);
	});

	const crowd = fc.array(
		fc.record({ share: fc.integer({ min: 0, max: 10 }), steady: fc.boolean(), live: fc.integer({ min: 0, max: 10 }) }),
		{ minLength: 2, maxLength: 6 },
	);
	test("no two hosts wait for each other, and one at least waits for nobody", () => {
		fc.assert(
			fc.property(crowd, (each) => {
				const hosts = each.map(({ steady, live }, i) => hostOf(`${steady ? "s" : "b"}${i}`, { live }));
				const shares = Object.fromEntries(hosts.map(({ hostId }, i) => [hostId, each[i]?.share ?? 0]));
				const waits = new Map(hosts.map((host) => [host.hostId, comeFirst(host, hosts, shares).map(([id]) => id)]));
				for (const [hostId, others] of waits)
					for (const other of others) expect(waits.get(String(other))).not.toContain(hostId);
				expect([...waits.values()].some((others) => others.length === 0)).toBe(true);
			}),
		);
	});
});

describe("contacts", () => {
	const precedenceOf = (rooms: Record<string, number>, over: Partial<HostItem> = {}) =>
		new Precedence(
			Object.entries(rooms).map(([id, room]) => ({ host: hostOf(id, over), room, waiting: 0 })),
			NOW,
			TIMES,
		);
	const keysOf = (due: readonly Due[]) => due.map(({ contactKey }) => contactKey);

	test("that others have room for are left to them, the oldest", () => {
		const { taken, late } = precedenceOf({ s1: 3 }).beyond(trunkOf({}), CAMPAIGN, dueOf(10, 50, 40, 30, 20));
		expect(keysOf(taken)).toEqual(["k4", "k0"]);
		expect(late).toBe(0);
	});
	test("that are few are all left", () => {
		expect(precedenceOf({ s1: 3 }).beyond(trunkOf({}), CAMPAIGN, dueOf(1, 2)).taken).toEqual([]);
	});
	test("that nobody came for are taken, after those that are nobody else's", () => {
		const { taken, late } = precedenceOf({ s1: 3 }).beyond(
			trunkOf({}),
			CAMPAIGN,
			dueOf(PATIENCE + 1, PATIENCE + 2, PATIENCE, 5),
		);
		expect(keysOf(taken)).toEqual(["k3", "k1", "k0"]);
		expect(late).toBe(2);
	});
	test("of one campaign take up the room for those of the next", () => {
		const precedence = precedenceOf({ s1: 3, s2: 2 });
		const other = newCampaign("campaign0000000d", NOW, { trunk: "t1" });
		expect(precedence.beyond(trunkOf({}), CAMPAIGN, dueOf(1, 2, 3, 4)).taken).toEqual([]);
		expect(precedence.beyond(trunkOf({}), other, dueOf(1, 2, 3, 4)).taken).toHaveLength(3);
	});
	test("are not left to a host that cannot dial them", () => {
		const onSteady = precedenceOf({ s1: 3 });
		expect(onSteady.beyond(trunkOf({}, { hosts: ["b9"] }), CAMPAIGN, dueOf(1)).taken).toHaveLength(1);
		const dead = precedenceOf({ s1: 3 }, { deadTrunks: ["t1"] });
		expect(dead.beyond(trunkOf({}), CAMPAIGN, dueOf(1)).taken).toHaveLength(1);
		const spot = precedenceOf({ b0: 3 }, { inst: { market: "spot" } as NonNullable<HostItem["inst"]> });
		expect(spot.beyond(trunkOf({}), CAMPAIGN, dueOf(1)).taken).toHaveLength(1);
		const allows: CampaignItem = { ...CAMPAIGN, allowDroppedCalls: true };
		expect(spot.beyond(trunkOf({}), allows, dueOf(1)).taken).toEqual([]);
	});
	test("none is taken twice or made up, and all beyond the room are taken", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 0, max: 20_000 })), fc.nat(30), (ages, room) => {
				const due = dueOf(...ages);
				const { taken } = precedenceOf(room > 0 ? { s1: room } : {}).beyond(trunkOf({}), CAMPAIGN, due);
				expect(new Set(taken).size).toBe(taken.length);
				const old = ages.filter((age) => age > PATIENCE).length;
				expect(taken.length).toBe(Math.max(0, ages.length - room) + Math.min(old, room, ages.length));
			}),
		);
	});
});

describe("channels", () => {
	const input = (over: Partial<ShareInput>): ShareInput => ({
		trunkFree: 10,
		campaignFree: { a: 100, b: 100 },
		shareNow: {},
		base: {},
		candidates: { a: 20 },
		hostRoom: 50,
		want: 50,
		prefetch: 0,
		...over,
	});
	test("are left free on the trunk and in the campaign", () => {
		expect(decideShare(input({ leave: { trunk: 7, campaigns: {} } })).calls).toEqual({ a: 3 });
		expect(decideShare(input({ leave: { trunk: 0, campaigns: { a: 98 } } })).calls).toEqual({ a: 2 });
		expect(decideShare(input({ leave: { trunk: 12, campaigns: {} } })).calls).toEqual({});
	});
	test("that calls end on are left too; a call that waits for one takes it", () => {
		const leave = { trunk: 5, campaigns: {} };
		expect(decideShare(input({ trunkFree: 0, shareNow: { a: 4 }, leave }))).toEqual({ share: {}, calls: {} });
		expect(decideShare(input({ trunkFree: 0, shareNow: { a: 4 }, base: { a: 6 }, leave })).share).toEqual({ a: 4 });
		expect(decideShare(input({ trunkFree: 2, shareNow: { a: 4 }, base: { a: 6 }, leave })).share).toEqual({ a: 6 });
	});
	test("that were free before and that nobody took are told from those just given back", () => {
		const leave = { trunk: 20, campaigns: {} };
		const unusedOf = (over: Partial<ShareInput>) => {
			const given = input({ leave, ...over });
			return leavesUnused(given, decideShare(given));
		};
		expect(unusedOf({})).toBe(true);
		expect(unusedOf({ trunkFree: 0, shareNow: { a: 4 } })).toBe(false);
		expect(unusedOf({ candidates: {} })).toBe(false);
		expect(unusedOf({ leave: { trunk: 0, campaigns: {} } })).toBe(false);
		expect(unusedOf({ campaignFree: { a: 0 }, shareNow: { a: 3 } })).toBe(false);
	});
	test("with plenty of them leaving changes nothing", () => {
		fc.assert(
			fc.property(fc.nat(40), fc.nat(40), fc.nat(20), (candidates, left, hostRoom) => {
				const plenty = input({ trunkFree: left + hostRoom, candidates: { a: candidates }, hostRoom });
				expect(decideShare({ ...plenty, leave: { trunk: left, campaigns: { a: left } } })).toEqual(decideShare(plenty));
			}),
		);
	});
	test("are waited for so long, and then not for a minute", () => {
		const at = (since: number | undefined) => (since === undefined ? {} : { leavesSince: since });
		expect(nextLeavesSince(at(undefined), false, NOW, TIMES)).toBeUndefined();
		expect(nextLeavesSince(at(undefined), true, NOW, TIMES)).toBe(NOW);
		expect(nextLeavesSince(at(NOW - 1), true, NOW, TIMES)).toBe(NOW - 1);
		expect(nextLeavesSince(at(NOW - 1), false, NOW, TIMES)).toBeUndefined();
		expect(waitsNoMore(at(NOW - PATIENCE + 1), NOW, TIMES)).toBe(false);
		expect(waitsNoMore(at(NOW - PATIENCE), NOW, TIMES)).toBe(true);
		expect(nextLeavesSince(at(NOW - PATIENCE), false, NOW, TIMES)).toBe(NOW - PATIENCE);
		expect(waitsNoMore(at(NOW - PATIENCE - 59_999), NOW, TIMES)).toBe(true);
		expect(waitsNoMore(at(NOW - PATIENCE - 60_000), NOW, TIMES)).toBe(false);
		expect(nextLeavesSince(at(NOW - PATIENCE - 60_000), true, NOW, TIMES)).toBe(NOW);
	});
});

// ---- one steady and three burst hosts, each as an agent would be ------------------------------------------------------

const CAP = 10;
const HOSTS = ["s1", "b1", "b2", "b3"];
interface Player {
	hostId: string;
	epoch: number;
	seq: number;
	/** Calls held, in the order of their grants: when each ends; undefined while it waits for a slot. */
	calls: Map<string, number | undefined>;
	nextAt: number;
	/** Syncs, but asks for nothing: foreign calls, say. */
	asksNothing?: boolean;
	dead?: boolean;
}
let now: number;
let deps: Deps;
let players: Player[];
/** Calls that each host was granted. */
let granted: Record<string, number>;

const CALL_MS = 8_000;
const setUp = async (trunkChannels: number, maxCps = 1_000): Promise<void> => {
	now = NOW;
	deps = testDeps(new MemoryDynamo(PROJECT_TABLES, { now: () => now }).client(), () => now);
	const trunk = newTrunk("t1", { maxChannels: trunkChannels, maxCps, numbering: "private" });
	await deps.db.send(new PutCommand({ TableName: deps.tables.trunks, Item: trunk }));
	players = [];
	granted = {};
	for (const [i, hostId] of HOSTS.entries()) {
		const item = hostOf(hostId, { cap: CAP, state: "new", lastSeenAt: 0 });
		await deps.db.send(new PutCommand({ TableName: deps.tables.hosts, Item: item }));
		const { epoch } = await hello(deps, { tenant: TENANT, hostId }, { nonce: `nonce-${hostId}-0` });
		// Burst hosts look first, the steady one last: order must not decide.
		players.push({ hostId, epoch, seq: 0, calls: new Map(), nextAt: now + (HOSTS.length - i) * 37 });
		granted[hostId] = 0;
	}
};
const liveOf = ({ calls }: Player): number => [...calls.values()].filter((end) => end !== undefined).length;
const play = async (player: Player): Promise<void> => {
	const ref = { tenant: TENANT, hostId: player.hostId };
	const { calls } = player;
	const idle = calls.size === 0;
	player.nextAt = now + (idle ? 2_000 : 300);
	if (player.asksNothing) {
		await sync(deps, ref, syncRequest(player.epoch, ++player.seq));
		return;
	}
	if (idle && !(await peek(deps, ref)).work) return;
	const ended = [...calls].filter(([, end]) => end !== undefined && end <= now).map(([callId]) => callId);
	for (const callId of ended) calls.delete(callId);
	const answer = await sync(
		deps,
		ref,
		syncRequest(player.epoch, ++player.seq, {
			want: CAP - calls.size,
			live: liveOf(player),
			slots: { t1: CAP - liveOf(player) },
			completed: ended.map((callId) => ({ callId, outcome: "answered" as const })),
			low: 1,
		}),
	);
	for (const { callId } of answer.calls) calls.set(callId, undefined);
	granted[player.hostId] = (granted[player.hostId] ?? 0) + answer.calls.length;
	const starts = answer.slots["t1"] ?? [];
	for (const [callId, end] of calls) {
		const at = end === undefined ? starts.shift() : undefined;
		if (at !== undefined) calls.set(callId, Math.max(at, now) + CALL_MS);
	}
	if (calls.size > 0) player.nextAt = now + 300;
};
const pass = async (ms: number): Promise<void> => {
	const end = now + ms;
	for (;;) {
		const next = players.filter(({ dead }) => !dead).sort((a, b) => a.nextAt - b.nextAt)[0];
		if (!next || next.nextAt > end) break;
		now = next.nextAt;
		await play(next);
	}
	now = end;
};
const live = () => Object.fromEntries(players.map(({ hostId, ...rest }) => [hostId, liveOf({ hostId, ...rest })]));
const playerOf = (hostId: string): Player => players.find((each) => each.hostId === hostId) as Player;

describe("one steady and three burst hosts", () => {
	beforeEach(() => setUp(100));

	test("little work: only the steady host has calls", async () => {
		await putCampaign(deps, 8, { trunk: "t1", maxChannels: 100 });
		await pass(20_000);
		expect(granted).toEqual({ s1: 8, b1: 0, b2: 0, b3: 0 });
	});
	test("a trickle of work: only the steady host has calls", async () => {
		for (let i = 0; i < 15; i++) {
			now++;
			await putCampaign(deps, 2, { trunk: "t1", maxChannels: 100, name: `t${i}` });
			await pass(2_500);
		}
		expect(granted).toEqual({ s1: 30, b1: 0, b2: 0, b3: 0 });
	});
	test("some more: one burst host has the rest", async () => {
		await putCampaign(deps, 15, { trunk: "t1", maxChannels: 100 });
		await pass(4_500);
		expect(live()).toEqual({ s1: 10, b1: 5, b2: 0, b3: 0 });
	});
	test("plenty: all are full", async () => {
		await putCampaign(deps, 200, { trunk: "t1", maxChannels: 100 });
		await pass(6_000);
		expect(live()).toEqual({ s1: 10, b1: 10, b2: 10, b3: 10 });
	});
	test("the fullest burst host with room goes on, the others empty", async () => {
		await putCampaign(deps, 28, { trunk: "t1", maxChannels: 100 });
		await pass(5_000);
		expect(live()).toEqual({ s1: 10, b1: 10, b2: 8, b3: 0 });
		// Now fewer than before: those of the second burst host are not followed by others.
		await pass(6_000);
		now++;
		await putCampaign(deps, 17, { trunk: "t1", maxChannels: 100, name: "next" });
		await pass(7_000);
		const { s1 = 0, b1 = 0, b2 = 0, b3 = 0 } = granted;
		expect(s1 + b1 + b2 + b3).toBe(45);
		expect(b3).toBe(0);
		expect(b2).toBe(8);
	});
	test("channels are scarce: the steady host fills first, and gets back what a burst host had taken before", async () => {
		await setUp(12);
		await putCampaign(deps, 400, { trunk: "t1", maxChannels: 100 });
		playerOf("s1").dead = true;
		await pass(16_000);
		const { b1, b2 = 0, b3 = 0 } = live();
		expect({ b1, others: b2 + b3 }).toEqual({ b1: 10, others: 2 });
		playerOf("s1").dead = false;
		playerOf("s1").nextAt = now;
		// Those who waited for it in vain do so again a minute later.
		await pass(90_000);
		const after = live();
		expect(after["s1"]).toBe(10);
		expect(Object.values(after).filter((n) => n > 0)).toEqual([10, 2]);
	});
	test("a campaign's channels are scarce: so too", async () => {
		await putCampaign(deps, 400, { trunk: "t1", maxChannels: 14 });
		await pass(30_000);
		expect(live()).toEqual({ s1: 10, b1: 4, b2: 0, b3: 0 });
	});
	test("calls per second are scarce: the steady host fills first", async () => {
		await setUp(100, 2);
		await putCampaign(deps, 400, { trunk: "t1", maxChannels: 100 });
		// Calls of 8 s: two calls a second keep some 15 channels, so one burst host is enough.
		await pass(20_000);
		expect(live()["s1"]).toBeGreaterThanOrEqual(9);
		expect(granted).toMatchObject({ b2: 0, b3: 0 });
		expect(sum(granted)).toBeGreaterThan(35);
	});

	describe("where the host that comes first does not come", () => {
		test("an idle steady host that has died holds nothing up for longer than is waited", async () => {
			await pass(1_000);
			playerOf("s1").dead = true;
			await putCampaign(deps, 5, { trunk: "t1", maxChannels: 100 });
			const from = now;
			while (sum(granted) < 5 && now < from + 60_000) await pass(500);
			expect(now - from).toBeLessThanOrEqual(PATIENCE + 2_500);
			expect(granted["b2"]).toBe(0);
		});
		test("one that syncs and asks for nothing neither: contacts and channels", async () => {
			await setUp(6);
			playerOf("s1").asksNothing = true;
			await putCampaign(deps, 40, { trunk: "t1", maxChannels: 100 });
			const from = now;
			while (sum(live()) < 6 && now < from + 60_000) await pass(500);
			// Once for the contacts, once for the channels.
			expect(now - from).toBeLessThanOrEqual(2 * PATIENCE + 3_000);
			expect(
				(await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: TENANT, hostId: "b1" }))?.leavesSince,
			).toBeDefined();
			// From then on nothing is left to it: all channels are in use nearly always.
			let used = 0;
			for (let i = 0; i < 20; i++) {
				await pass(500);
				used += sum(live());
			}
			expect(used / 20).toBeGreaterThan(5);
		});
		test("all work ends, whoever stands still", async () => {
			for (const still of HOSTS) {
				await setUp(7);
				playerOf(still).asksNothing = true;
				await putCampaign(deps, 30, { trunk: "t1", maxChannels: 5 });
				await pass(120_000);
				expect(sum(granted)).toBe(30);
				expect(sum(live())).toBe(0);
			}
		});
	});
});
