import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { describe, expect, test } from "@jest/globals";
import { claimAddresses, freeTcpPort, freeUdpPort } from "../../../local/voice/real/addresses.ts";
import { ownArchive, parseAptSources, stanzaFor } from "../../../local/voice/real/apt-sources.ts";
import { fillIn, setOptions } from "../../../local/voice/real/conf.ts";
import { lock, tryLock } from "../../../local/voice/real/lock.ts";

describe("apt's sources", () => {
	const stanzas = `# comment
Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
# an old address
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
`;

	test("stanzas: the distribution's own archive, with its key, for another suite", () => {
		const sources = parseAptSources("debian.sources", stanzas);
		expect(sources).toHaveLength(2);
		const own = ownArchive(sources, "bookworm");
		expect(own?.uri).toBe("http://mirror.example/debian");
		expect(stanzaFor(own as NonNullable<typeof own>, "sid", "amd64")).toBe(
			"Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\nComponents: main contrib\nArchitectures: amd64\nSigned-By: /usr/share/keyrings/archive.gpg\n",
		);
	});

	test("a key within the stanza is kept whole", () => {
		const [, , off] = parseAptSources("x.sources", stanzas.replace("Enabled: no\n", ""));
		expect(off?.signedBy).toBe("\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc");
	});

	test("one source per line", () => {
		const sources = parseAptSources(
			"sources.list",
			"#deb http://no.example x main\ndeb [arch=amd64 signed-by=/k.gpg] https://docker.example/linux/debian bookworm stable\ndeb http://a.example/ubuntu/ noble main universe # own\ndeb-src http://a.example/ubuntu noble main\n",
		);
		expect(sources).toEqual([
			{
				uri: "https://docker.example/linux/debian",
				suites: ["bookworm"],
				components: ["stable"],
				signedBy: "/k.gpg",
			},
			{ uri: "http://a.example/ubuntu/", suites: ["noble"], components: ["main", "universe"] },
		]);
		expect(ownArchive(sources, "noble")?.uri).toBe("http://a.example/ubuntu/");
		expect(ownArchive(sources, "bookworm")).toBeUndefined();
	});
});

describe("Asterisk's configuration", () => {
	test("names are filled in, and one without a value is an error", () => {
		expect(fillIn("bind=@HOST_IP@:5060 a@b", { HOST_IP: "127.1.2.3" })).toBe("bind=127.1.2.3:5060 a@b");
		expect(() => fillIn("@NOBODY@", {})).toThrow("@NOBODY@");
	});

	test("options are set in their section only, and added where they are missing", () => {
		const text = "[a]\nbind=1\n; bind=2\n[b]\nbind => 3\nother=4\n";
		expect(setOptions(text, "b", { bind: "9", more: "5" })).toBe(
			"[a]\nbind=1\n; bind=2\n[b]\nmore=5\nbind=9\nother=4\n",
		);
		expect(setOptions("[a]\n", "c", { x: "1" })).toBe("[a]\n\n[c]\nx=1\n");
	});
});

describe("one machine, several copies", () => {
	test("a lock has one holder; those who wait get it when it is given back", async () => {
		const name = `test ${process.pid} ${Math.random()}`;
		const first = await lock(name);
		expect(await tryLock(name)).toBeUndefined();
		const order: string[] = [];
		const second = lock(name).then((held) => {
			order.push("second");
			return held;
		});
		order.push("released");
		await first.release();
		await (await second).release();
		expect(order).toEqual(["released", "second"]);
	});

	test("blocks of addresses are different ones and can be bound", async () => {
		const [one, two] = [await claimAddresses(), await claimAddresses()];
		expect(one.address(1)).not.toBe(two.address(1));
		expect(() => one.address(0)).toThrow(RangeError);
		const server = net.createServer().listen(0, one.address(254));
		await once(server, "listening");
		server.close();
		await one.release();
		await two.release();
	});

	test("a port that is taken is replaced by a free one", async () => {
		const block = await claimAddresses();
		const address = block.address(7);
		const tcp = net.createServer().listen(0, address);
		await once(tcp, "listening");
		const taken = (tcp.address() as net.AddressInfo).port;
		expect(await freeTcpPort(address, taken)).not.toBe(taken);
		tcp.close();
		await once(tcp, "close");
		expect(await freeTcpPort(address, taken)).toBe(taken);
		const udp = dgram.createSocket("udp4").bind(taken, address);
		await once(udp, "listening");
		expect(await freeUdpPort(address, taken)).not.toBe(taken);
		udp.close();
		await once(udp, "close");
		await block.release();
	});
});
