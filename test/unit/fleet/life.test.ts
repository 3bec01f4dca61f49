import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { Ec2State } from "../../../shared/fleet/ec2.ts";
import { HOST_STATES, type HostState, LIFE, mayFollow } from "../../../shared/fleet/life.ts";
import { drainForInterruption, lookAtFleet } from "../../../shared/fleet/look.ts";
import { markHost, moveHost } from "../../../shared/fleet/moves.ts";
import { setDrain } from "../../../shared/hosts/hosts.ts";
import { fenceHost, recoverHost } from "../../../shared/recovery/recover-host.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { syncRequest } from "../../support/control-plane.ts";
import { atWork, type Bench, makeBench, START, TENANT } from "./fleet-bench.ts";

/** The life of a host: one table, and nobody writes a state that it does not have. */

test("the table: every state can be reached from a start, and every burst host can come to its end", () => {
	const reach = (from: HostState[]): Set<HostState> => {
		const found = new Set(from);
		for (const state of found) for (const next of Object.keys(LIFE[state]) as HostState[]) found.add(next);
		return found;
	};
	expect([...reach(["new", "launching"])].sort()).toEqual([...HOST_STATES].sort());
	for (const state of HOST_STATES) expect([state, reach([state]).has("terminated")]).toEqual([state, true]);
	expect(Object.keys(LIFE.terminated)).toEqual([]);
	// Stopping is for hosts that hold nothing, or are past their deadline.
	expect(HOST_STATES.filter((from) => mayFollow(from, "stopping")).sort()).toEqual(
		["booting", "drained", "draining", "launching", "recovered", "stopped"].sort(),
	);
	expect(mayFollow("active", "stopped")).toBe(false);
});

/** Where a host's state is written, and why there. A new place belongs here, and in the matrix below. */
const WRITERS: Record<string, string> = {
	"shared/fleet/moves.ts": "every move of the fleet",
	"shared/fleet/new-host.ts": "a launched instance",
	"shared/hosts/enrol-instance.ts": "an instance enrols",
	"shared/hosts/enrol.ts": "a steady host is enrolled",
	"shared/recovery/recover-host.ts": "lost and recovered",
	"shared/sync/commit.ts": "a sync finds its draining host drained",
	"shared/sync/hello.ts": "hello",
};

test("nobody else writes a host's state", () => {
	const found: string[] = [];
	const walk = (folder: string): void => {
		for (const entry of readdirSync(folder, { withFileTypes: true })) {
			const path = join(folder, entry.name);
			if (entry.isDirectory()) walk(path);
			else if (entry.name.endsWith(".ts")) {
				const code = readFileSync(path, "utf8");
				const writes = /\b(update|put)(<[^(]*>)?\(\s*deps\.db,\s*\{[^;]*?tables\.hosts/.test(code);
				const states = /SET [^"`]*#state = :|sets[^;]*"#state = :|\bstate: "(new|launching)"/.test(code);
				if (writes && states) found.push(path);
			}
		}
	};
	walk("shared");
	expect(found.sort()).toEqual(Object.keys(WRITERS).sort());
});

/** A host in a state, as it may stand there, with the instance in EC2 as the test wants it. */
const hostIn = async (
	state: HostState,
	ec2: Ec2State | "unknown" | "running",
): Promise<{ bench: Bench; host: HostItem }> => {
	const bench = await makeBench({ burst: { warmHosts: 1, bootDeadlineSec: 90 } });
	const [host] = await atWork(bench, 1);
	if (!host?.inst) throw new Error("no host");
	const { instanceId } = host.inst;
	if (ec2 === "stopped" || ec2 === "terminated") bench.ec2.die(instanceId, ec2);
	if (ec2 === "stopping") await bench.ec2.stop([instanceId]);
	if (ec2 === "shutting-down") await bench.ec2.terminate([instanceId]);
	if (ec2 === "unknown") bench.ec2.lose(instanceId);
	const draining = state === "draining" || state === "drained";
	const lost = state === "lost" || state === "recovered";
	await bench.change(host.hostId, {
		state,
		...(draining ? { drainBy: "fleet", drainAt: bench.now(), drainUntil: bench.now() + 20_000, quiet: 1 } : {}),
		...(lost ? { lostE: host.epoch, lostS: 0, epoch: host.epoch + 1 } : {}),
		...(state === "stopping" ? { inst: { ...host.inst, stopAt: START, end: "terminate" } } : {}),
	});
	return { bench, host: bench.host(host.hostId) };
};

const EC2_STATES: (Ec2State | "unknown")[] = [
	"running",
	"stopping",
	"stopped",
	"shutting-down",
	"terminated",
	"unknown",
];
const ends = HOST_STATES.flatMap((state) => EC2_STATES.map((ec2) => [state, ec2] as const));

describe("whatever a host's state and whatever EC2 says of it", () => {
	test.each(ends)("%s, EC2 says %s: looks make legal moves only, and it comes to an end", async (state, ec2) => {
		for (const min of [0, 1]) {
			const { bench, host } = await hostIn(state, ec2);
			await bench.floor(min);
			for (let i = 0; i < 45; i++) {
				bench.pass(5);
				// A sync of a draining host that has nothing.
				const now = bench.host(host.hostId);
				if (now.state === "draining" && bench.ec2.all().some(({ state: at }) => at === "running") && ec2 === "running")
					await bench.change(host.hostId, { state: "drained", lastSeenAt: bench.now() });
				await recoverHosts(bench.deps, TENANT);
				await bench.look();
			}
			expect(bench.illegal).toEqual([]);
			const last = bench.host(host.hostId).state;
			// `new` is no state of a burst host: nothing is done with it.
			if (min === 0 && state !== "new") expect(["stopped", "terminated"]).toContain(last);
			if (last === "terminated" || last === "stopped") {
				const instance = bench.ec2.all().find(({ instanceId }) => instanceId === host.inst?.instanceId);
				expect(["stopped", "terminated", "shutting-down"]).toContain(instance?.state);
			}
		}
	});

	test.each(HOST_STATES)(
		"%s: hello, sync, drain, undrain, loss, recovery and interruption make legal moves only",
		async (state) => {
			const ref = (host: HostItem) => ({ tenant: TENANT, hostId: host.hostId });
			const acts: ((bench: Bench, host: HostItem) => Promise<unknown>)[] = [
				({ deps }, host) => hello(deps, ref(host), { nonce: "nonce-12345" }),
				({ deps }, host) => sync(deps, ref(host), syncRequest(host.epoch, host.seq + 1)),
				({ deps }, host) => setDrain(deps, TENANT, host.hostId, true),
				({ deps }, host) => setDrain(deps, TENANT, host.hostId, false),
				({ deps }, host) => (mayFollow(host.state, "lost") ? fenceHost(deps, host) : Promise.resolve()),
				({ deps }, host) => recoverHost(deps, host),
				({ deps, now }, host) => drainForInterruption(deps, TENANT, host.inst?.instanceId ?? "", now() + 120_000),
				({ deps }) => lookAtFleet(deps, TENANT, "test"),
			];
			for (const first of acts)
				for (const second of acts) {
					const { bench, host } = await hostIn(state, "running");
					// Refusals are answers; what counts is what was written.
					await first(bench, host).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
					await second(bench, bench.host(host.hostId)).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
					expect(bench.illegal).toEqual([]);
				}
		},
	);
});

test("a move that the table does not have is refused before anything is written", async () => {
	const { bench, host } = await hostIn("active", "running");
	await expect(moveHost(bench.deps, host, "stopping", {}, "test")).rejects.toThrow(
		/burst-[0-9a-f]+ may not go from active to stopping \(test\)/,
	);
	expect(bench.host(host.hostId).state).toBe("active");
});

test("a move holds only while state, epoch and start are those that were read; a repeat of its own write is no loss", async () => {
	const { bench, host } = await hostIn("active", "running");
	const { deps } = bench;
	const drain = { drainAt: 1, drainBy: "fleet", drainUntil: 2, quiet: undefined } as const;
	const moved = await moveHost(deps, host, "draining", drain, "test");
	expect(moved).toMatchObject({ state: "draining", drainBy: "fleet", drainUntil: 2 });
	// The same write again: its first answer was lost.
	expect(await moveHost(deps, host, "draining", drain, "test")).toMatchObject({ state: "draining" });
	expect(await moveHost(deps, host, "draining", { ...drain, drainBy: "operator" }, "test")).toBeUndefined();
	if (!moved?.inst) throw new Error("no host");
	expect(await moveHost(deps, { ...moved, epoch: moved.epoch + 1 }, "active", {}, "test")).toBeUndefined();
	expect(
		await moveHost(deps, { ...moved, inst: { ...moved.inst, startId: "other" } }, "active", {}, "test"),
	).toBeUndefined();
	expect(await markHost(deps, { ...moved, state: "active" }, { live: 3 })).toBeUndefined();
	expect(await markHost(deps, moved, { inst: { publicAddress: "192.0.2.1" } })).toMatchObject({ state: "draining" });
	expect(bench.host(host.hostId)).toMatchObject({ state: "draining", live: 0, inst: { publicAddress: "192.0.2.1" } });
	expect(bench.toldOf("host.moved").at(-1)?.fields).toMatchObject({ from: "active", to: "draining", why: "test" });
});
