import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { findExtension, patternToRegExp, stepOf } from "../../../local/voice/simulated/dialplan.ts";
import { readAriSettings, readDialplan, readEndpoints } from "../../../local/voice/simulated/host-files.ts";
import { listSounds, silence, soundMs } from "../../../local/voice/simulated/sounds.ts";

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "simulated-files-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));
const write = (name: string, content: string | Buffer): Promise<void> => writeFile(join(dir, name), content);

describe("files that the simulated Asterisk reads", () => {
	test("endpoints with their contacts, through includes, templates and comments", async () => {
		await write(
			"pjsip.conf",
			`[tmpl](!)\ntype=endpoint ; a comment\ncontext=inbound\n#include more.conf\n#tryinclude none.conf\n;-- [x]\ntype=endpoint --;\n`,
		);
		await write(
			"more.conf",
			[
				"[a](tmpl)\naors=a\n[a]\ntype = aor\ncontact => sip:carrier@127.0.0.200:5070;transport=udp",
				"qualify_frequency=30\nqualify_timeout=2.5\n[b](tmpl)\naors=none\n[c]\ntype=identify\nendpoint=a",
			].join("\n"),
		);
		expect(readEndpoints(dir)).toEqual([
			{
				technology: "PJSIP",
				resource: "a",
				context: "inbound",
				contact: "127.0.0.200:5070",
				qualifySec: 30,
				qualifyTimeoutSec: 2.5,
			},
			{
				technology: "PJSIP",
				resource: "b",
				context: "inbound",
				contact: undefined,
				qualifySec: 0,
				qualifyTimeoutSec: 3,
			},
		]);
	});

	test("missing files are no trunks and no contexts", () => {
		expect(readEndpoints(dir)).toEqual([]);
		expect(readDialplan(dir).size).toBe(0);
	});

	test("contexts with labels, same, patterns and includes", async () => {
		await write(
			"extensions.conf",
			[
				"[general]\nstatic=yes\n[one]\nexten => s,1,NoOp(a,b \\; c)\n same => n(label),Wait(1) ; comment\n same => n,Hangup()",
				"include => two\n[two]\nexten => _1NX.,1,Answer\nexten => s,1,Hangup(17)\ninclude => one",
			].join("\n"),
		);
		const dialplan = readDialplan(dir);
		expect([...dialplan.keys()]).toEqual(["one", "two"]);
		expect(findExtension(dialplan, "one", "s")).toEqual([
			{ app: "NoOp", data: "a,b ; c" },
			{ app: "Wait", data: "1" },
			{ app: "Hangup", data: "" },
		]);
		expect(findExtension(dialplan, "one", "1234")).toEqual([{ app: "Answer", data: "" }]);
		expect(findExtension(dialplan, "one", "1034")).toBeUndefined();
		expect(findExtension(dialplan, "none", "s")).toBeUndefined();
	});

	test.each([
		["X.", "12", true],
		["X.", "1", false],
		["ZXX", "012", false],
		["[2-4]!", "3", true],
		["+1XX", "+123", true],
		["a.b", "axb", true],
	])("pattern _%s and %s: %s", (pattern, extension, matches) => {
		expect(patternToRegExp(pattern).test(extension)).toBe(matches);
	});

	test("steps of an answered call", () => {
		const variable = (name: string): string | undefined => ({ SECONDS: "1.5", SOUND: "a/b" })[name];
		const step = (app: string, data: string) => stepOf({ app, data }, variable);
		expect(step("Wait", `\${SECONDS}`)).toMatchObject({ kind: "wait", ms: 1_500 });
		expect(step("Playback", `\${SOUND},skip`)).toMatchObject({ kind: "play", sound: "a/b" });
		expect(step("Hangup", "17")).toMatchObject({ kind: "hangup", cause: 17 });
		expect(step("Set", `X=\${SECONDS}=y`)).toMatchObject({ kind: "set", name: "X", value: "1.5=y" });
		expect(step("Verbose", `1,\${CHANNEL(name)}`)).toMatchObject({ kind: "instant" });
		expect(step("Wait", `$[1 + 1]`)).toMatchObject({ kind: "hold" });
		expect(step("Dial", "PJSIP/x")).toMatchObject({ kind: "hold" });
	});

	test("ARI's users, websockets, variables and modules", async () => {
		await write(
			"ari.conf",
			[
				"[general]\nenabled=yes\nchannelvars=A, B\n[me]\ntype=user\npassword=secret",
				"[out]\ntype=outbound_websocket\nwebsocket_client_id=client\napps=x,y\nsubscribe_all=yes",
			].join("\n"),
		);
		await write(
			"websocket_client.conf",
			"[client]\ntype=websocket_client\nuri=ws://127.0.0.1:9/ari\nprotocols=ari\nusername=u\npassword=p\nreconnect_interval=250",
		);
		await write("http.conf", "[general]\nbindaddr=127.0.0.5\nbindport=8099");
		await write("asterisk.conf", "[options]\nentityid=02:00:00:00:00:05");
		await write("modules.conf", "[modules]\nautoload=no\nload=res_pjsip.so\nload=pbx_config.so");
		expect(readAriSettings(dir)).toEqual({
			bindAddress: "127.0.0.5",
			bindPort: 8099,
			users: new Map([["me", "secret"]]),
			channelVars: ["A", "B"],
			outbound: [
				{
					uri: "ws://127.0.0.1:9/ari",
					username: "u",
					password: "p",
					protocols: ["ari"],
					reconnectIntervalMs: 250,
					apps: ["x", "y"],
					subscribeAll: true,
				},
			],
			asteriskId: "02:00:00:00:00:05",
			modules: new Set(["res_pjsip", "pbx_config"]),
		});
	});

	test("how long sounds are, by their files", async () => {
		await write("a.gsm", silence(1_000));
		await write("b.ulaw", Buffer.alloc(4_000));
		const wav = Buffer.alloc(44 + 16_000);
		wav.writeUInt32LE(16_000, 28);
		await write("c.wav", wav);
		expect([soundMs(dir, "a"), soundMs(dir, "b"), soundMs(dir, "c"), soundMs(dir, join(dir, "c"))]).toEqual([
			1_000, 500, 1_000, 1_000,
		]);
		expect(soundMs(dir, "none")).toBeUndefined();
		expect(
			listSounds(dir)
				.map(({ id }) => id)
				.sort(),
		).toEqual(["a", "b", "c"]);
	});
});
