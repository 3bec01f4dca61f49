import { describe, expect, test } from "@jest/globals";
import { RenderError, render, renderIaxTrunk, renderPjsipTrunk } from "../../../host/asterisk/render.ts";
import { ON_MACHINE } from "../../../shared/contract/call.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";

const trunk = (change: Partial<HostTrunk> = {}): HostTrunk => ({
	id: "carrier-a",
	type: "pjsip",
	host: "sip.example.net",
	port: 5080,
	username: "account",
	secretRef: "host:carrier-a",
	codecs: ["ulaw", "alaw"],
	qualify: 30,
	callerIdIn: "from",
	...change,
});
const options = { secret: () => "s3cret!" };

describe("rendered trunks", () => {
	test("a PJSIP trunk: endpoint, aor, auth, all with the agent's prefix", () => {
		expect(renderPjsipTrunk(trunk(), { ...options, transport: "transport-udp", mediaAddress: "127.0.0.11" })).toBe(`
[burst-dialer-carrier-a]
type=endpoint
context=burst-dialer-inbound
identify_by=ip
transport=transport-udp
disallow=all
allow=ulaw,alaw
direct_media=no
rtp_symmetric=yes
media_address=127.0.0.11
bind_rtp_to_media_address=yes
aors=burst-dialer-carrier-a
outbound_auth=burst-dialer-carrier-a-auth

[burst-dialer-carrier-a]
type=aor
contact=sip:sip.example.net:5080
qualify_frequency=30
qualify_timeout=2.0

[burst-dialer-carrier-a-auth]
type=auth
auth_type=userpass
username=account
password=s3cret!
`);
	});

	test.each([
		["pai", "send_pai=yes"],
		["rpid", "send_rpid=yes"],
	] as const)("caller id in %s", (callerIdIn, line) => {
		const text = renderPjsipTrunk(trunk({ callerIdIn }), options);
		expect(text).toContain(`\n${line}\n`);
		expect(text).toContain("\nfrom_user=account\n");
	});

	test("qualify off, no secret", () => {
		const { secretRef: _, ...open } = trunk({ qualify: "off" });
		const text = renderPjsipTrunk(open, options);
		expect(text).toContain("qualify_frequency=0");
		expect(text).not.toContain("auth");
	});

	test("an IAX2 trunk", () => {
		const text = renderIaxTrunk(trunk({ type: "iax2" }), options);
		expect(text).toContain("[burst-dialer-carrier-a]\ntype=peer\nhost=sip.example.net\n");
		expect(text).toContain("secret=s3cret!");
	});

	test("the dialplan: own contexts, and an inbound one that only hangs up", () => {
		const text = render([], options).files["extensions.conf"] ?? "";
		const sections = text.match(/^\[.*\]$/gm);
		expect(sections).toEqual([
			"[burst-dialer-play]",
			"[burst-dialer-wait]",
			"[burst-dialer-amd]",
			"[burst-dialer-inbound]",
		]);
		const inbound = text.slice(text.indexOf("[burst-dialer-inbound]"));
		for (const line of inbound.split("\n").filter((each) => /exten|same/.test(each)))
			expect(line).toMatch(/Hangup\(21\)$/);
	});

	test("answering machines: every application that a host may lack is tried, every branch has an extension, and the limit is set once", () => {
		const text = render([], options).files["extensions.conf"] ?? "";
		const context = text.slice(text.indexOf("[burst-dialer-amd]"), text.indexOf("[burst-dialer-inbound]"));
		for (const app of ["AMD(", "WaitForSilence("])
			for (const line of context.split("\n").filter((each) => each.includes(app) && !each.startsWith(";")))
				expect(line).toContain(`TryExec(${app}`);
		const extensions = new Set([...context.matchAll(/^exten => ([^,]+),1,/gm)].map(([, name]) => name));
		// What the applications say, and anything else, which is what says nothing.
		for (const name of ["verdictHUMAN", "verdictMACHINE", "verdictNOTSURE", "verdictHANGUP", "_verdict!"])
			expect(extensions).toContain(name);
		for (const name of ["afterSILENCE", "afterTIMEOUT", "_after!", ...ON_MACHINE]) expect(extensions).toContain(name);
		expect(context.match(/TIMEOUT\(absolute\)/g)).toHaveLength(1);
		// What is entered behind the limit of the agent's own contexts is their second line.
		for (const [name, second] of [
			["play", "Playback"],
			["wait", "Wait"],
		])
			expect(text).toMatch(
				new RegExp(`\\[burst-dialer-${name}\\]\nexten => s,1,Set\\(TIMEOUT.*\n same => n,${second}\\(`),
			);
		// The tone detector is gone before anything of the campaign is said.
		for (const part of context.split("\nexten => ").filter((each) => /^(after|beep|_after)/.test(each)))
			expect(part).toMatch(/^[^,]+,1,Set\(TONE_DETECT\(0,,x\)=\)/);
	});

	test("an existing trunk is not rendered", () => {
		const { files } = render([trunk({ type: "existing", endpoint: "PJSIP/theirs" })], options);
		expect(files["pjsip.conf"]).not.toContain("[");
		expect(files["iax.conf"]).not.toContain("[");
	});
});

describe("nothing that Asterisk would take for syntax reaches a file", () => {
	const evil = [
		"x\ntype=transport",
		"x\r[x]",
		"x;comment",
		"x]",
		"[x",
		"x#include y",
		`\${SHELL(id)}`,
		"$[1+1]",
		"x\0y",
		"x y\u2028z",
	];

	test.each(["host", "username", "id"] as const)("in %s", (field) => {
		for (const value of evil) {
			expect(() => renderPjsipTrunk(trunk({ [field]: value }), options)).toThrow(RenderError);
			expect(() => renderIaxTrunk(trunk({ [field]: value }), options)).toThrow(RenderError);
		}
	});

	test("in a secret, and the error does not show it", () => {
		for (const value of evil) {
			const failing = () => renderPjsipTrunk(trunk(), { secret: () => value });
			expect(failing).toThrow(RenderError);
			try {
				failing();
			} catch (error) {
				expect((error as Error).message).not.toContain(value);
			}
		}
	});

	test("in secretRef: no path", () => {
		for (const secretRef of ["host:../x", "host:..", "host:/etc/passwd", "file:x", "host:"]) {
			expect(() => renderPjsipTrunk(trunk({ secretRef }), options)).toThrow(RenderError);
		}
	});

	test("in codecs and ports", () => {
		expect(() => renderPjsipTrunk(trunk({ codecs: ["ulaw\nx=y"] }), options)).toThrow(RenderError);
		expect(renderPjsipTrunk(trunk({ codecs: ["ulaw", "all"] }), options)).toContain("allow=ulaw\n");
		expect(() => renderPjsipTrunk(trunk({ port: 70_000 }), options)).toThrow(RenderError);
		expect(() => renderPjsipTrunk(trunk({ port: "5060\nx" as never }), options)).toThrow(RenderError);
	});

	test("a trunk that cannot be rendered does not keep the others from it", () => {
		const { files, problems } = render([trunk({ id: "bad", host: "a;b" }), trunk({ id: "good" })], options);
		expect(Object.keys(problems)).toEqual(["bad"]);
		expect(files["pjsip.conf"]).toContain("[burst-dialer-good]");
		expect(files["pjsip.conf"]).not.toContain("[burst-dialer-bad]");
	});
});
