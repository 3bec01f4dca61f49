import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { CallRecord, parseShortLine } from "../../../local/voice/carrier/short-log.ts";
import { LineTail } from "../../../local/voice/carrier/tail.ts";
import type { CarrierCall } from "../../../local/voice/types.ts";

const BASE_MS = 1_795_416_000_000;
const line = (atMs: number, direction: "R" | "S", cseq: string, first: string, id = "a"): string => {
	const seconds = ((BASE_MS + atMs) / 1_000).toFixed(6);
	return `2026-11-23\t06:45:18.296538\t${seconds}\t${direction}\t${id}\tCSeq:${cseq}\t${first}`;
};
const INVITE = "INVITE sip:15@127.0.0.9:5060 SIP/2.0";

/** The record of the lines, times counted from the base. */
const recordOf = (lines: string[], nowMs = 1_000): CarrierCall[] => {
	const record = new CallRecord();
	for (const each of lines) {
		const message = parseShortLine(each);
		if (message !== undefined) record.add(message);
	}
	return record.calls(BASE_MS + nowMs).map((call) => ({
		...call,
		invitedAt: call.invitedAt - BASE_MS,
		...(call.ringingAt === undefined ? {} : { ringingAt: call.ringingAt - BASE_MS }),
		...(call.answeredAt === undefined ? {} : { answeredAt: call.answeredAt - BASE_MS }),
		...(call.endedAt === undefined ? {} : { endedAt: call.endedAt - BASE_MS }),
	}));
};
const begun = { id: "a", number: "15", from: "", invitedAt: 0 };

describe("lines", () => {
	test("a message, to the microsecond", () => {
		expect(
			parseShortLine(
				"2026-11-23\t06:45:18.296538\t1795416318.296538\tR\tx@y\tCSeq: 7 INVITE\tINVITE sip:+15@127.0.0.9 SIP/2.0\r",
			),
		).toEqual({
			atMs: 1_795_416_318_296.538,
			received: true,
			callId: "x@y",
			cseqMethod: "INVITE",
			firstLine: "INVITE sip:+15@127.0.0.9 SIP/2.0",
		});
	});

	test("anything else is none", () => {
		for (const text of ["", "The following events occurred:", "a\tb\tR\tid\tCSeq:1 INVITE\tINVITE", "R\tS"])
			expect(parseShortLine(text)).toBeUndefined();
	});
});

describe("calls", () => {
	test("answered, the carrier hangs up; repeated messages change nothing", () => {
		const calls = recordOf([
			line(0, "R", "1 INVITE", INVITE),
			line(1, "S", "1 INVITE", "SIP/2.0 180 Ringing"),
			line(2, "R", "1 INVITE", INVITE),
			line(3, "S", "1 INVITE", "SIP/2.0 180 Ringing"),
			line(100, "S", "1 INVITE", "SIP/2.0 200 OK"),
			line(150, "S", "1 INVITE", "SIP/2.0 200 OK"),
			line(151, "R", "1 ACK", "ACK sip:carrier@127.0.0.9 SIP/2.0"),
			line(152, "R", "1 ACK", "ACK sip:carrier@127.0.0.9 SIP/2.0"),
			line(500, "S", "1 BYE", "BYE sip:x@127.0.0.1 SIP/2.0"),
			line(502, "R", "1 BYE", "SIP/2.0 200 OK"),
			line(503, "R", "1 BYE", "SIP/2.0 200 OK"),
		]);
		expect(calls).toEqual([{ ...begun, ringingAt: 1, answeredAt: 100, status: 200, endedAt: 502 }]);
	});

	test("the caller hangs up", () => {
		const lines = [
			line(0, "R", "1 INVITE", INVITE),
			line(1, "S", "1 INVITE", "SIP/2.0 200 OK"),
			line(2, "R", "1 ACK", "ACK sip:carrier@127.0.0.9 SIP/2.0"),
			line(90, "R", "2 BYE", "BYE sip:carrier@127.0.0.9 SIP/2.0"),
			line(91, "S", "2 BYE", "SIP/2.0 200 OK"),
		];
		expect(recordOf(lines.slice(0, 4))).toEqual([{ ...begun, answeredAt: 1, status: 200 }]);
		expect(recordOf(lines)).toEqual([{ ...begun, answeredAt: 1, status: 200, endedAt: 91 }]);
	});

	test("refused: it ends with the ACK, or when the carrier gives up waiting for one", () => {
		const lines = [
			line(0, "R", "1 INVITE", INVITE),
			line(1, "S", "1 INVITE", "SIP/2.0 486 Busy Here"),
			line(4, "R", "1 ACK", "ACK sip:15@127.0.0.9 SIP/2.0"),
		];
		expect(recordOf(lines)).toEqual([{ ...begun, status: 486, endedAt: 4 }]);
		expect(recordOf(lines.slice(0, 2), 32_000)).toEqual([{ ...begun, status: 486 }]);
		expect(recordOf(lines.slice(0, 2), 32_001)).toEqual([{ ...begun, status: 486, endedAt: 32_001 }]);
	});

	test("cancelled: the answer to CANCEL is no answer to the call", () => {
		const calls = recordOf([
			line(0, "R", "1 INVITE", INVITE),
			line(1, "S", "1 INVITE", "SIP/2.0 180 Ringing"),
			line(50, "R", "1 CANCEL", "CANCEL sip:15@127.0.0.9 SIP/2.0"),
			line(51, "S", "1 CANCEL", "SIP/2.0 200 OK"),
			line(52, "S", "1 INVITE", "SIP/2.0 487 Request Terminated"),
			line(55, "R", "1 ACK", "ACK sip:15@127.0.0.9 SIP/2.0"),
		]);
		expect(calls).toEqual([{ ...begun, ringingAt: 1, status: 487, endedAt: 55 }]);
	});

	test("a BYE that nobody answers ends the call when the carrier gives up", () => {
		const lines = [
			line(0, "R", "1 INVITE", INVITE),
			line(1, "S", "1 INVITE", "SIP/2.0 200 OK"),
			line(10, "S", "1 BYE", "BYE sip:x@127.0.0.1 SIP/2.0"),
			line(510, "S", "1 BYE", "BYE sip:x@127.0.0.1 SIP/2.0"),
		];
		expect(recordOf(lines, 20_000)).toEqual([{ ...begun, answeredAt: 1, status: 200 }]);
		expect(recordOf(lines, 33_000)).toEqual([{ ...begun, answeredAt: 1, status: 200, endedAt: 32_010 }]);
	});

	test("never replied to: no channel of the carrier, once it is clear", () => {
		const lines = [line(0, "R", "1 INVITE", INVITE), line(500, "R", "1 INVITE", INVITE)];
		expect(recordOf(lines.slice(0, 1), 300)).toEqual([begun]);
		expect(recordOf(lines, 800)).toEqual([{ ...begun, endedAt: 0 }]);
	});

	test("OPTIONS and messages of unknown calls are no calls; the source comes before or after", () => {
		expect(
			recordOf([
				line(0, "R", "1 OPTIONS", "OPTIONS sip:ping@127.0.0.9 SIP/2.0", "b"),
				line(1, "S", "1 OPTIONS", "SIP/2.0 200 OK", "b"),
				line(2, "R", "9 BYE", "BYE sip:carrier@127.0.0.9 SIP/2.0", "c"),
			]),
		).toEqual([]);
		const record = new CallRecord();
		record.addSource("a", "127.0.0.5");
		for (const id of ["a", "b"]) {
			const message = parseShortLine(line(0, "R", "1 INVITE", INVITE, id));
			if (message !== undefined) record.add(message);
		}
		record.addSource("b", "127.0.0.6");
		expect(record.calls(BASE_MS).map(({ from }) => from)).toEqual(["127.0.0.5", "127.0.0.6"]);
	});
});

test("a growing file is read line by line, each line once", async () => {
	const dir = await mkdtemp(join(tmpdir(), "tail-"));
	const path = join(dir, "log");
	const tail = new LineTail(path);
	try {
		expect(await tail.lines()).toEqual([]);
		await appendFile(path, "one\ntw");
		expect(await tail.lines()).toEqual(["one"]);
		expect(await tail.lines()).toEqual([]);
		await appendFile(path, `o\n${"x".repeat(600_000)}\n`);
		expect(await tail.lines()).toEqual(["two", "x".repeat(600_000)]);
	} finally {
		await tail.close();
		await rm(dir, { recursive: true });
	}
});
