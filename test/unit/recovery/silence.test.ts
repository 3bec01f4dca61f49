import { describe, expect, test } from "@jest/globals";
import { ALL_SILENT_HOLD_SEC, decideLost, type RecoveryMemory } from "../../../shared/recovery/silence.ts";
import type { HostItem } from "../../../shared/store/items.ts";

const settings = { lostAfterSec: 30, fenceSec: 15, recoveryPeriodSec: 20 };
const NOW = 1_000_000;
const host = (hostId: string, silentSec: number, state: HostItem["state"] = "active"): HostItem =>
	({ hostId, state, lastSeenAt: NOW - silentSec * 1_000 }) as HostItem;
const ran = (agoSec: number, more: Partial<RecoveryMemory> = {}): RecoveryMemory => ({
	lastRunAt: NOW - agoSec * 1_000,
	graceUntil: 0,
	allSilentSince: 0,
	...more,
});
const lostIds = (hosts: HostItem[], memory: RecoveryMemory | undefined, now = NOW) =>
	decideLost(hosts, memory, now, settings).lost.map(({ hostId }) => hostId);

describe("decideLost", () => {
	test("a host silent for longer than the limit is lost, another is not", () => {
		expect(lostIds([host("a", 31), host("b", 29)], ran(20))).toEqual(["a"]);
	});
	test("the only host can be lost", () => {
		expect(lostIds([host("a", 31)], ran(20))).toEqual(["a"]);
	});
	test("a draining host can be lost; new, lost and recovered ones cannot", () => {
		expect(lostIds([host("a", 99, "draining"), host("b", 1)], ran(20))).toEqual(["a"]);
		expect(lostIds([host("a", 99, "new"), host("b", 99, "lost"), host("c", 99, "recovered")], ran(20))).toEqual([]);
	});
	test("after the recovery itself was away, one round of syncs comes first", () => {
		const first = decideLost([host("a", 120)], ran(120), NOW, settings);
		expect(first.lost).toEqual([]);
		expect(first.heldBack).toMatch(/away/);
		expect(lostIds([host("a", 120)], first.memory, NOW + 14_000)).toEqual([]);
		expect(lostIds([host("a", 120)], first.memory, NOW + 20_000)).toEqual(["a"]);
	});
	test("hosts silent together are held back, but not for ever", () => {
		const hosts = [host("a", 40), host("b", 50)];
		const first = decideLost(hosts, ran(20), NOW, settings);
		expect(first.lost).toEqual([]);
		let memory = first.memory;
		for (let s = 20; s < ALL_SILENT_HOLD_SEC; s += 20)
			memory = decideLost(hosts, memory, NOW + s * 1_000, settings).memory;
		expect(lostIds(hosts, memory, NOW + ALL_SILENT_HOLD_SEC * 1_000)).toEqual(["a", "b"]);
	});
	test("when the first of them is heard again, the others get a round of syncs", () => {
		const memory = ran(20, { allSilentSince: NOW - 100_000 });
		const first = decideLost([host("a", 120), host("b", 1)], memory, NOW, settings);
		expect(first.lost).toEqual([]);
		expect(lostIds([host("a", 140), host("b", 1)], first.memory, NOW + 20_000)).toEqual(["a"]);
	});
});
