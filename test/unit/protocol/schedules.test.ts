import { describe, expect, test } from "@jest/globals";
import type { SyncResponse } from "../../../shared/contract/host.ts";
import type { GrantItem, ShareEntry, StatsItem, TrunkItem } from "../../../shared/store/items.ts";
import type { Input } from "../../support/memory-dynamo.ts";
import { AgentBench, type AgentBenchOptions, withOutstanding } from "../../support/virtual/agent-bench.ts";
import { Bench, type HandHost, matches } from "../../support/virtual/bench.ts";
import {
	checkAllDone,
	checkChannelSums,
	checkChannelsFree,
	checkCounters,
	Violation,
	type ViolationKind,
} from "../../support/virtual/checks.ts";
import type { ControlPlaneOptions, Execution, Mutation } from "../../support/virtual/control-plane.ts";
import { changed, seenOtherwise, weakened } from "../../support/virtual/mutations.ts";
import { addContacts, contactsOf, hostOf, type WorldConfig } from "../../support/virtual/world.ts";

/**
 * The schedules that break the protocol where one of its conditions is missing. Each is played on the real code, where nothing may
 * break, and again with just that condition taken away, where what it is for must be seen to break.
 */

interface World {
	hosts?: number;
	hostCap?: number;
	contacts?: number;
	cap?: number;
	maxCps?: number;
	/** Retries after the loss of a host. */
	retryLost?: boolean;
}
const worldOf = ({
	hosts = 2,
	hostCap = 2,
	contacts = 1,
	cap = 4,
	maxCps = 50,
	retryLost = false,
}: World): WorldConfig => ({
	hosts: Array.from({ length: hosts }, (_, i) => ({ id: `h${i + 1}`, cap: hostCap })),
	trunks: [{ id: "carrier", maxChannels: cap, maxCps }],
	campaigns: [
		{
			letter: "a",
			trunk: "carrier",
			contacts,
			cap,
			maxCallSec: 60,
			retry: retryLost ? { hostLost: { afterSec: 1, max: 1 } } : {},
		},
	],
});

const only = <T>(list: Iterable<T>): T => {
	const [first, ...more] = list;
	if (first === undefined || more.length > 0) throw new Error("expected just one");
	return first;
};

/** The host goes on, without faults, for as long as it gets calls; all that it holds ends well. */
const goOn = async (bench: Bench, hosts: HandHost[]): Promise<void> => {
	for (let idle = 0; idle < 3; ) {
		idle++;
		bench.advance(70_000);
		for (const host of hosts) bench.seen(host.hostId);
		await bench.recover();
		bench.index();
		for (const host of hosts) {
			const completed = [...host.held.values()].map((call) => bench.ended(call));
			if (completed.length > 0) idle = 0;
			const { calls } = await bench.sync(host, { completed, want: 2 });
			if (calls.length > 0) idle = 0;
			for (const call of calls) {
				bench.advance(1_000);
				bench.dial(host, call);
			}
			for (const other of hosts) bench.seen(other.hostId);
		}
	}
	checkAllDone(bench.dynamo);
	await checkCounters(bench.dynamo, bench.plane.directDeps);
	checkChannelSums(bench.dynamo);
	checkChannelsFree(bench.dynamo);
};

type Play = (bench: Bench) => Promise<void>;

/** What broke in a play; undefined if nothing did. */
const broken = async (play: Play, world: World, options: ControlPlaneOptions): Promise<ViolationKind | undefined> => {
	const bench = new Bench(worldOf(world), options);
	try {
		await play(bench);
	} catch (error) {
		if (error instanceof Violation) return error.kind;
		throw error;
	}
	expect(bench.plane.faults).toEqual([]);
	return undefined;
};

interface Schedule {
	world?: World;
	play: Play;
	settings?: ControlPlaneOptions["settings"];
	/** Takes the condition away. */
	without: () => Pick<ControlPlaneOptions, "settings"> & { mutation?: Mutation };
	breaks: ViolationKind;
}
const schedule = (
	number: number,
	title: string,
	{ world = {}, play, settings = {}, without, breaks }: Schedule,
): void => {
	describe(`schedule ${number}: ${title}`, () => {
		test("holds", async () => {
			expect(await broken(play, world, { settings })).toBeUndefined();
		});
		test(`without it: ${breaks}`, async () => {
			const weak = without();
			const { mutation } = weak;
			expect(
				await broken(play, world, {
					settings: { ...settings, ...weak.settings },
					...(mutation ? { mutation } : {}),
				}),
			).toBe(breaks);
			if (mutation) expect(mutation.hits).toBeGreaterThan(0);
		});
	});
};

const CLAIM = ["contacts", "Update", "#state = :claimed", ":pending"] as const;
const COMMIT = ["hosts", "Update", ":before"] as const;
const GIVE_BACK = ["contacts", "Update", "#dueAt = :now", ":lease"] as const;
const isCommit = (statement: { name: "Update"; input: Input } | Parameters<typeof matches>[0]): boolean =>
	matches(statement, "hosts", ["Update", ":before"]);

schedule(1, "a claim names the version that was read", {
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const slow = bench.start(h1, bench.body(h1, { want: 1 }));
		await bench.until(slow, ...CLAIM);
		await bench.lose(h1, [h2]);
		expect(await bench.outcome(slow)).toBe("staleEpoch");
		await goOn(bench, [h2]);
	},
	without: () => ({
		mutation: weakened("contacts", ["#ver = :ver"], "#state = :pending AND #ver = :ver", "#state = :pending"),
	}),
	breaks: "contactLost",
});

schedule(2, "the recovery bars the seq that was open", {
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const slow = bench.start(h1, bench.body(h1, { want: 1 }));
		await bench.until(slow, "grants", "Put");
		await bench.lose(h1, [h2]);
		expect(await bench.outcome(slow)).toBe("staleEpoch");
		await goOn(bench, [h2]);
	},
	without: () => ({
		mutation: changed((statement) =>
			matches(statement, "grants", ["Put", '"tomb":true']) ? { instead: { ok: true, answer: {} } } : undefined,
		),
	}),
	breaks: "contactLost",
});

schedule(3, "a grant is recorded even when it is empty", {
	world: { hosts: 1 },
	play: async (bench) => {
		const h1 = await bench.hello("h1");
		const { calls } = await bench.sync(h1, { want: 1 });
		await bench.sync(h1, { returned: calls.map((call) => call.callId) });
		// The index has only seen that the contact was claimed, not that it came back.
		bench.dynamo.applyIndexUpdate("contacts", 0);
		const body = bench.body(h1, { want: 1 });
		const [empty, full] = [bench.start(h1, body), bench.start(h1, body)];
		await bench.until(empty, "grants", "Put");
		bench.index();
		await bench.until(full, "grants", "Put");
		const answer = await bench.finish<SyncResponse>(empty);
		// Had it claimed anything, only the record could tell: it dies before it sees that the other one has answered.
		await bench.until(full, ...COMMIT);
		bench.kill(full);
		bench.accept(h1, body, answer);
		await goOn(bench, [h1]);
	},
	without: () => ({
		mutation: changed((statement) =>
			matches(statement, "grants", ["Put", '"cands":[]']) && !matches(statement, "grants", ["tomb"])
				? { instead: { ok: true, answer: {} } }
				: undefined,
		),
	}),
	breaks: "contactLost",
});

schedule(4, "the grant is recorded before the claims", {
	world: { hosts: 1, contacts: 2 },
	play: async (bench) => {
		const h1 = await bench.hello("h1");
		const body = bench.body(h1, { want: 1 });
		const dies = bench.start(h1, body);
		await bench.until(dies, ...COMMIT);
		bench.kill(dies);
		bench.index();
		bench.accept(h1, body, await bench.finish<SyncResponse>(bench.start(h1, body)));
		await goOn(bench, [h1]);
	},
	without: () => {
		const held = new Map<Execution, Input>();
		return {
			mutation: changed((statement, execution, dynamo) => {
				if (matches(statement, "grants", ["Put"])) {
					held.set(execution, statement.input);
					return { instead: { ok: true, answer: {} } };
				}
				const put = held.get(execution);
				if (put && isCommit(statement)) dynamo.perform({ name: "Put", input: put });
				return undefined;
			}),
		};
	},
	breaks: "contactLost",
});

schedule(5, "a return names the exact lease", {
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const { calls } = await bench.sync(h1, { want: 1 });
		const body = bench.body(h1, { returned: calls.map((call) => call.callId) });
		const [twin, late] = [bench.start(h1, body), bench.start(h1, body)];
		await bench.until(late, ...GIVE_BACK);
		bench.accept(h1, body, await bench.finish<SyncResponse>(twin));
		bench.index();
		const again = await bench.sync(h1, { want: 1 });
		bench.advance(1_000);
		bench.dial(h1, only(again.calls));
		expect(await bench.outcome(late)).toBe("seqOld");
		bench.index();
		for (const call of (await bench.sync(h2, { want: 1 })).calls) bench.dial(h2, call);
		await goOn(bench, [h1, h2]);
	},
	without: () => ({
		mutation: weakened("contacts", [":now", "#dueAt"], "#lease = :lease", "begins_with(#lease, :host)", {
			":host": "h1#",
		}),
	}),
	breaks: "dialedTwice",
});

schedule(6, "a settlement names the exact lease", {
	world: { retryLost: true },
	play: async (bench) => {
		const [before, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const first = only((await bench.sync(before, { want: 1 })).calls);
		bench.dial(before, first);
		await bench.lose(before, [h2]);
		const h1 = await bench.hello("h1");
		// A lost call is not retried before it can have ended.
		bench.advance(100_000);
		bench.seen("h1");
		const second = only((await bench.sync(h1, { want: 1 })).calls);
		bench.dial(h1, second);
		await bench.sync(h1, { completed: [bench.ended(first)] });
		bench.index();
		await goOn(bench, [h1]);
	},
	without: () => ({
		mutation: weakened("contacts", ["hist"], "#lease = :lease AND #attempt = :this", "begins_with(#lease, :host)", {
			":host": "h1#",
		}),
	}),
	breaks: "counters",
});

schedule(7, "a commit names epoch, seq and state", {
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const body = bench.body(h1, { want: 1 });
		const slow = bench.start(h1, body);
		await bench.until(slow, ...COMMIT);
		await bench.lose(h1, [h2]);
		for (const call of (await bench.sync(h2, { want: 1 })).calls) bench.dial(h2, call);
		bench.advance(1_000);
		const answer = await bench.outcome<SyncResponse>(slow);
		if (typeof answer !== "string") for (const call of answer.calls) bench.dial(h1, call);
		expect(answer).toBe("staleEpoch");
		await goOn(bench, [h2]);
	},
	without: () => ({
		mutation: weakened(
			"hosts",
			[":before"],
			"#epoch = :epoch AND #seq = :before AND #state = :state",
			"#seq = :before",
		),
	}),
	breaks: "dialedTwice",
});

schedule(9, "what an earlier try of the sync settled is counted", {
	world: { hosts: 1 },
	play: async (bench) => {
		const h1 = await bench.hello("h1");
		const call = only((await bench.sync(h1, { want: 1 })).calls);
		bench.dial(h1, call);
		const body = bench.body(h1, { completed: [bench.ended(call)] });
		const dies = bench.start(h1, body);
		await bench.until(dies, ...COMMIT);
		bench.kill(dies);
		bench.accept(h1, body, await bench.finish<SyncResponse>(bench.start(h1, body)));
		await goOn(bench, [h1]);
	},
	without: () => ({
		mutation: seenOtherwise(
			(statement) => matches(statement, "contacts", ["Update", ":outcome"]),
			(contact) => {
				const entry = contact.hist?.["1"];
				if (entry) entry.by = "somebody#1#1";
				return entry !== undefined;
			},
		),
	}),
	breaks: "counters",
});

schedule(10, "the recovery counts what the open sync settled", {
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const call = only((await bench.sync(h1, { want: 1 })).calls);
		bench.dial(h1, call);
		const dies = bench.start(h1, bench.body(h1, { completed: [bench.ended(call)] }));
		await bench.until(dies, ...COMMIT);
		bench.kill(dies);
		await bench.lose(h1, [h2]);
		await goOn(bench, [h2]);
	},
	without: () => ({
		mutation: seenOtherwise(
			(statement, execution) =>
				execution.startsWith("recovery") && statement.name.endsWith("Get") && matches(statement, "contacts", []),
			(contact) => {
				const entry = contact.hist?.["1"];
				if (entry) entry.by = "somebody#1#1";
				return entry !== undefined;
			},
		),
	}),
	breaks: "counters",
});

schedule(11, "counters are part of the commit", {
	world: { hosts: 1 },
	play: async (bench) => {
		const h1 = await bench.hello("h1");
		const call = only((await bench.sync(h1, { want: 1 })).calls);
		bench.dial(h1, call);
		const body = bench.body(h1, { completed: [bench.ended(call)] });
		const dies = bench.start(h1, body);
		await bench.until(dies, ...COMMIT);
		await bench.step(dies);
		bench.kill(dies);
		bench.accept(h1, body, await bench.finish<SyncResponse>(bench.start(h1, body)));
		await goOn(bench, [h1]);
	},
	without: () => {
		const counters = new Map<Execution, Input>();
		const mutation = changed((statement, execution) => {
			const { input } = statement;
			const set = ", #acc = :acc";
			if (!isCommit(statement) || !String(input["UpdateExpression"]).includes(set)) return undefined;
			const { TableName, Key } = input;
			counters.set(execution, {
				TableName,
				Key,
				UpdateExpression: "SET #acc = :acc",
				ExpressionAttributeNames: { "#acc": "acc" },
				ExpressionAttributeValues: { ":acc": input["ExpressionAttributeValues"][":acc"] },
			});
			return {
				...statement,
				input: { ...input, UpdateExpression: String(input["UpdateExpression"]).replace(set, "") },
			};
		});
		mutation.afterwards = (execution) => {
			const input = counters.get(execution);
			return input ? [input] : [];
		};
		return { mutation };
	},
	breaks: "counters",
});

schedule(12, "copies of counters are ordered by epoch, then seq", {
	world: { contacts: 2, retryLost: true },
	// Copied at every sync, so that the copy must be as new as the host.
	settings: { statsEverySyncs: 1 },
	play: async (bench) => {
		const [before, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const call = only((await bench.sync(before, { want: 1 })).calls);
		await bench.sync(before, {});
		await bench.sync(before, { completed: [bench.ended(call)] });
		await bench.lose(before, [h2]);
		const h1 = await bench.hello("h1");
		const next = only((await bench.sync(h1, { want: 1 })).calls);
		await bench.sync(h1, { completed: [bench.ended(next)] });
		const copy = only(bench.dynamo.items<StatsItem>("campaigns").filter((item) => item.kind === "STATS#h1"));
		if (copy.counts["a"] !== 2) throw new Violation("counters", `the copy stayed at ${JSON.stringify(copy.counts)}`);
		await goOn(bench, [h1, h2]);
	},
	without: () => ({
		mutation: changed((statement) => {
			if (!matches(statement, "campaigns", ["Put", "STATS#"])) return undefined;
			const seq = Number(statement.input["Item"]["asOf"]) % 2 ** 32;
			return {
				...statement,
				input: {
					...statement.input,
					Item: { ...statement.input["Item"], asOf: seq },
					ExpressionAttributeValues: { ":asOf": seq },
				},
			};
		}),
	}),
	breaks: "counters",
});

/** Twins of one sync that completes two calls: one finds two more contacts, the other's index is stale. */
const twinsWithStaleIndex: Play = async (bench) => {
	const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
	const first = await bench.sync(h1, { want: 2 });
	for (const call of first.calls) bench.dial(h1, call);
	bench.advance(1_000);
	addContacts(bench.dynamo, "a", 2, 4, bench.scheduler.now);
	const body = bench.body(h1, { want: 2, completed: first.calls.map((call) => bench.ended(call)) });
	const [full, stale] = [bench.start(h1, body), bench.start(h1, body)];
	await bench.until(stale, "trunks", "Update");
	bench.index();
	await bench.until(full, "grants", "Put");
	await bench.step(full);
	const staleAnswer = await bench.finish<SyncResponse>(stale);
	const answer = await bench.finish<SyncResponse>(full);
	bench.accept(h1, body, staleAnswer);
	bench.answers.check(
		"h1",
		body.epoch,
		body.seq,
		answer.calls.map((call) => call.callId),
	);
	for (const call of answer.calls) bench.dial(h1, call);
	bench.advance(1_000);
	bench.index();
	for (const call of (await bench.sync(h2, { want: 2 })).calls) bench.dial(h2, call);
	await goOn(bench, [h1, h2]);
};

schedule(13, "a reservation is made once for a seq", {
	world: { contacts: 2, cap: 2 },
	play: twinsWithStaleIndex,
	without: () => {
		// Executions take their own reservation for another's, and write over it.
		const mutation = weakened("trunks", [":sRead"], " AND #a.#h.#s = :sRead", "");
		mutation.rewriteResult = (statement, result, execution) => {
			if (!result.ok || statement.name === "Update" || !matches(statement, "trunks", [])) return undefined;
			const items = (result.answer["Items"] ?? [result.answer["Item"]]) as (TrunkItem | undefined)[];
			for (const entry of items.flatMap((item) => Object.values(item?.a ?? {}) as ShareEntry[]))
				if (execution.id.includes(`${entry.e}#${entry.s}`)) entry.s -= 0.5;
			return result;
		};
		return { mutation };
	},
	breaks: "trunkCap",
});

schedule(14, "a reservation is stamped even where the share stays the same", {
	world: { contacts: 2, cap: 2 },
	play: twinsWithStaleIndex,
	without: () => ({
		mutation: changed((statement) => {
			const values = statement.input["ExpressionAttributeValues"] as Record<string, unknown> | undefined;
			if (!matches(statement, "trunks", ["Update", ":sRead"]) || values?.[":dT"] !== 0) return undefined;
			return {
				...statement,
				input: { ...statement.input, ExpressionAttributeValues: { ...values, ":s": values[":sRead"] } },
			};
		}),
	}),
	breaks: "trunkCap",
});

schedule(15, "channels of a lost host's calls stay held", {
	world: { cap: 1, contacts: 2 },
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		bench.dial(h1, only((await bench.sync(h1, { want: 1 })).calls));
		await bench.lose(h1, [h2]);
		for (const call of (await bench.sync(h2, { want: 1 })).calls) bench.dial(h2, call);
		// At last the call of the lost host ends by its own limit.
		bench.carrier.live.clear();
		await goOn(bench, [h2]);
	},
	without: () => ({
		mutation: changed((statement) => {
			if (!matches(statement, "trunks", ["Update", ":loss"])) return undefined;
			const { input } = statement;
			const values = { ...input["ExpressionAttributeValues"] };
			const shares = Object.entries(values[":loss"].n as Record<string, number>);
			const names: Record<string, string> = { ...input["ExpressionAttributeNames"], "#c": "c", "#free": "free" };
			const sets = ["#a.#h = :none", "#free = #free + :all"];
			values[":all"] = shares.reduce((sum, [, n]) => sum + n, 0);
			for (const [i, [campaignId, n]] of shares.entries()) {
				names[`#c${i}`] = campaignId;
				values[`:n${i}`] = n;
				sets.push(`#c.#c${i}.#free = #c.#c${i}.#free + :n${i}`);
			}
			return {
				...statement,
				input: {
					...input,
					UpdateExpression: `SET ${sets.join(", ")}`,
					ExpressionAttributeNames: names,
					ExpressionAttributeValues: values,
				},
			};
		}),
	}),
	breaks: "trunkCap",
});

schedule(18, "a repeated answer is made from what the commit named", {
	world: { retryLost: true },
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const body = bench.body(h1, { want: 1 });
		const answer = await bench.finish<SyncResponse>(bench.start(h1, body));
		bench.answers.check(
			"h1",
			body.epoch,
			body.seq,
			answer.calls.map((call) => call.callId),
		);
		const repeat = bench.start(h1, body);
		await bench.until(repeat, "grants", "Get");
		await bench.lose(h1, [h2]);
		const again = await bench.finish<SyncResponse>(repeat);
		bench.answers.check(
			"h1",
			body.epoch,
			body.seq,
			again.calls.map((call) => call.callId),
		);
	},
	without: () => {
		const mutation: Mutation = {
			hits: 0,
			rewriteResult: (statement, result, execution, dynamo) => {
				if (!execution.id.startsWith("sync") || !matches(statement, "grants", ["Get"]) || !result.ok) return undefined;
				mutation.hits++;
				const grant = result.answer["Item"] as GrantItem;
				const held = new Set(
					contactsOf(dynamo)
						.filter((contact) => contact.lease !== undefined)
						.map((contact) => contact.contactKey),
				);
				const cands = grant.cands.map((candidate) => (held.has(candidate.k) ? candidate : undefined));
				return { ok: true, answer: { Item: { ...grant, cands } } };
			},
		};
		return { mutation };
	},
	breaks: "answersDiffer",
});

schedule(20, "grants are kept for longer than any recovery takes", {
	play: async (bench) => {
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		bench.dial(h1, only((await bench.sync(h1, { want: 1 })).calls));
		bench.advance(20_000);
		for (const grant of bench.dynamo.items<GrantItem>("grants"))
			if (grant.ttl * 1_000 < bench.scheduler.now)
				bench.dynamo.expire("grants", { host: grant.host, grant: grant.grant });
		bench.seen("h2");
		await bench.lose(h1, [h2]);
		expect(hostOf(bench.dynamo, "h1").state).toBe("recovered");
		bench.carrier.live.clear();
		await goOn(bench, [h2]);
	},
	without: () => ({ settings: { grantTtlSec: 10 } }),
	breaks: "contactLost",
});

// ---- schedules of the host: real agents ---------------------------------------------------------------------------

interface HostSchedule {
	world: WorldConfig;
	/** What the schedule needs in both runs. */
	options: AgentBenchOptions;
	play: (bench: AgentBench) => Promise<void>;
	/** Takes the agent's rule away. */
	without: AgentBenchOptions;
	breaks: ViolationKind;
}
const brokenByHosts = async (world: WorldConfig, options: AgentBenchOptions, play: HostSchedule["play"]) => {
	const bench = new AgentBench(world, options);
	try {
		await play(bench);
	} catch (error) {
		if (error instanceof Violation) return error.kind;
		throw error;
	}
	return undefined;
};
const hostSchedule = (number: number, title: string, { world, options, play, without, breaks }: HostSchedule): void => {
	describe(`schedule ${number}: ${title}`, () => {
		test("holds", async () => {
			expect(await brokenByHosts(world, options, play)).toBeUndefined();
		});
		test(`without it: ${breaks}`, async () => {
			const { changeAnswer } = options;
			const both: AgentBenchOptions = {
				...options,
				...without,
				...(without.changeAnswer || changeAnswer
					? {
							changeAnswer: (hostId, kind, body) => {
								const changedOnce = changeAnswer ? changeAnswer(hostId, kind, body) : body;
								return without.changeAnswer ? without.changeAnswer(hostId, kind, changedOnce) : changedOnce;
							},
						}
					: {}),
			};
			expect(await brokenByHosts(world, both, play)).toBe(breaks);
		});
	});
};

const twoHosts = (contacts: number, rest: { cap?: number; hostCap?: number; maxCps?: number } = {}): WorldConfig => ({
	hosts: ["h1", "h2"].map((id) => ({ id, cap: rest.hostCap ?? 1 })),
	trunks: [{ id: "carrier", maxChannels: rest.cap ?? 4, maxCps: rest.maxCps ?? 50 }],
	campaigns: [
		{
			letter: "a",
			trunk: "carrier",
			contacts,
			cap: rest.cap ?? 4,
			ringTimeoutSec: 1,
			maxCallSec: 1,
			retry: { hostLost: { afterSec: 1, max: 1 } },
		},
	],
});
/** Slots of h1 come so much later and never end: the slot's end would hide what the fence is for. */
const lateSlots =
	(laterMs: number) =>
	(hostId: string, kind: string, body: unknown): unknown => {
		if (kind !== "sync" || hostId !== "h1") return body;
		const answer = body as SyncResponse;
		return {
			...answer,
			slots: { carrier: (answer.slots["carrier"] ?? []).map((at) => at + laterMs) },
			slotValidMs: { carrier: 1_000_000 },
		};
	};
const holdsCalls = (bench: AgentBench, hostId: string): number =>
	Object.values(bench.host(hostId).agent?.journal.state.calls ?? {}).filter((call) => call.state === "held").length;

hostSchedule(8, "a request is frozen: its repeats are the same bytes", {
	world: { ...twoHosts(2, { hostCap: 2 }), hosts: [{ id: "h1", cap: 2 }] },
	options: {
		script: (callId) => ({
			ringAfterMs: 20,
			answerAfterMs: 40,
			endAfterMs: callId.includes("9r8sbqr21qjsw3b5") ? 600 : 300,
		}),
	},
	play: async (bench) => {
		const h1 = bench.host("h1");
		h1.startAgent();
		await bench.until("two live calls", () => bench.carrier.live.size === 2);
		// The first completion is reported, and the answer to it is lost while the second call ends.
		let lost = false;
		bench.hold = (waiting) => {
			if (lost || waiting.kind !== "answer" || bench.outcomes.size === 0 || !waiting.label.includes("sync"))
				return false;
			const detail = waiting.detail as { request: { body: string } };
			return detail.request.body.includes('"outcome"');
		};
		await bench.until("both calls ended", () => bench.outcomes.size === 2);
		await bench.pass(3_000);
		lost = true;
		await bench.pass(5_000);
		await bench.check();
	},
	without: {
		changePorts: (ports) => {
			const outcomes = new Map<string, object>();
			const watched: typeof ports = {
				...ports,
				journal: {
					load: () => ports.journal.load(),
					append: (records) => {
						for (const record of records) if (record.t === "outcome") outcomes.set(record.callId, record.outcome);
						return ports.journal.append(records);
					},
					compact: (snapshot) => ports.journal.compact(snapshot),
					size: () => ports.journal.size(),
					compactAt: ports.journal.compactAt,
				},
			};
			return withOutstanding(watched, ({ request }, body) => {
				if (!body.includes('"outcome"')) return body;
				// A request that grows with what has ended since.
				const { completed, ...rest } = JSON.parse(body) as { completed: { callId: string }[] };
				for (const callId of outcomes.keys()) if (!request.completed.includes(callId)) request.completed.push(callId);
				const all = new Map(completed.map((call) => [call.callId, call as object]));
				for (const [callId, outcome] of outcomes) all.set(callId, outcome);
				return JSON.stringify({ ...rest, completed: [...all.values()] });
			});
		},
	},
	breaks: "contactLost",
});

hostSchedule(16, "a host without an answer for too long originates nothing", {
	world: twoHosts(1),
	options: { changeAnswer: lateSlots(30_000), agentSettings: { holdLimitMs: 1_000_000 } },
	play: async (bench) => {
		bench.host("h1").startAgent();
		await bench.until("h1 holds the call", () => holdsCalls(bench, "h1") === 1);
		bench.network.cut.add("h1");
		bench.host("h2").startAgent();
		await bench.until("h2 has dialed the retry", () => bench.carrier.dialed.size === 1, 29_000);
		await bench.pass(40_000);
		bench.network.cut.clear();
		await bench.pass(20_000);
		await bench.check();
	},
	without: {
		changeAnswer: (_, kind, body) => (kind === "config" ? { ...(body as object), fenceSec: 1_000 } : body),
	},
	breaks: "dialedAfterRedial",
});

hostSchedule(17, "the fence counts from the first send of what was answered", {
	world: twoHosts(1),
	options: {
		changeAnswer: lateSlots(40_000),
		agentSettings: { holdLimitMs: 1_000_000 },
		settings: { fenceSec: 20, lostAfterSec: 30 },
	},
	play: async (bench) => {
		bench.host("h1").startAgent();
		// The sync that grants the call commits; its answers are lost until just before the host is.
		bench.hold = (waiting) =>
			waiting.kind === "answer" && waiting.label.includes("sync h1") && bench.elapsedMs < 28_000;
		await bench.until("the call is granted", () =>
			bench.plane.dynamo.items<GrantItem>("grants").some((grant) => grant.cands.length > 0),
		);
		bench.host("h2").startAgent();
		await bench.until("h1 holds the call", () => holdsCalls(bench, "h1") === 1);
		expect(bench.elapsedMs).toBeLessThan(30_000);
		bench.network.cut.add("h1");
		await bench.until("h2 has dialed the retry", () => bench.carrier.dialed.size === 1, 11_000);
		await bench.pass(30_000);
		bench.network.cut.clear();
		await bench.pass(20_000);
		await bench.check();
	},
	without: {
		changePorts: (ports) =>
			withOutstanding(ports, ({ request }, body) => {
				request.firstSend = {
					bootId: ports.clock.bootId,
					monotonicMs: ports.clock.monotonicMs(),
					wallMs: ports.clock.wallMs(),
				};
				return body;
			}),
	},
	breaks: "dialedAfterRedial",
});

hostSchedule(19, "a slot has an end", {
	world: twoHosts(4, { hostCap: 2, maxCps: 2 }),
	options: {},
	play: async (bench) => {
		bench.host("h1").startAgent();
		// The answer with h1's calls and slots is under way for long, while h2 dials in the slots behind them.
		bench.hold = (waiting) => waiting.kind === "answer" && waiting.label.includes("sync h1");
		await bench.until("h1's calls are granted", () => bench.plane.dynamo.items<GrantItem>("grants").length > 0);
		bench.host("h2").startAgent();
		await bench.until("h2 has dialed a call", () => bench.carrier.dialed.size === 1);
		bench.hold = () => false;
		await bench.pass(30_000);
		await bench.check();
	},
	without: {
		changeAnswer: (_, kind, body) =>
			kind === "sync" ? { ...(body as SyncResponse), slotValidMs: { carrier: 1_000_000 } } : body,
	},
	breaks: "callsPerSecond",
});
