import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { renderNat, writeNat } from "../../../host/asterisk/nat.ts";

let etc: string;
beforeEach(async () => {
	etc = await mkdtemp(join(tmpdir(), "burst-dialer-nat-"));
});
afterEach(() => rm(etc, { recursive: true, force: true }));

const file = () => readFile(join(etc, "burst-dialer/nat.conf"), "utf8");

describe("the addresses of a transport behind a NAT", () => {
	test("are written as Asterisk takes them within the transport's section", async () => {
		await writeNat(etc, { address: "192.0.2.7", localNets: ["10.0.0.0/16", "172.31.0.0/20"] });
		expect((await file()).split("\n").filter((line) => line !== "" && !line.startsWith(";"))).toEqual([
			"external_media_address=192.0.2.7",
			"external_signaling_address=192.0.2.7",
			"local_net=10.0.0.0/16",
			"local_net=172.31.0.0/20",
		]);
		expect(await readdir(join(etc, "burst-dialer"))).toEqual(["nat.conf"]);
	});

	test("those of the start before do not stay", async () => {
		expect(await writeNat(etc, { address: "192.0.2.7", localNets: [] })).toBe(true);
		expect(await writeNat(etc, { address: "192.0.2.7", localNets: [] })).toBe(false);
		expect(await writeNat(etc, { address: undefined, localNets: ["10.0.0.0/16"] })).toBe(true);
		expect(await file()).not.toMatch(/^[^;]/m);
	});

	test("are left out where Asterisk does not take them", async () => {
		expect(await writeNat(etc, { address: "192.0.2.7", localNets: [] }, { onlyReplace: true })).toBe(false);
		await mkdir(join(etc, "burst-dialer"));
		await writeFile(join(etc, "burst-dialer/nat.conf"), "old");
		expect(await writeNat(etc, { address: "192.0.2.7", localNets: [] }, { onlyReplace: true })).toBe(true);
	});

	test.each(["", "host.example", "1.2.3", "256.1.1.1", "1.2.3.4\nlocal_net=0.0.0.0/0", "::1"])(
		"%j is no address",
		(address) => {
			expect(() => renderNat({ address, localNets: [] })).toThrow(/no IPv4 address/);
		},
	);
	test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/8\n[general]", "all"])("%j is no range", (range) => {
		expect(() => renderNat({ address: "192.0.2.7", localNets: [range] })).toThrow(/10\.0\.0\.0\/16/);
	});
});
