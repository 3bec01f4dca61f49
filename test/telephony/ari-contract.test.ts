import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type AddressBlock, claimAddresses } from "../../local/voice/real/addresses.ts";
import { realPlane } from "../../local/voice/real/plane.ts";
import { simulatedPlane } from "../../local/voice/simulated/plane.ts";
import type { Carrier, CarrierCall, VoiceHost, VoicePlane } from "../../local/voice/types.ts";
import { AgentEnd } from "../support/ari/agent-end.ts";
import { AriClient, type AriEvent, InboundEvents } from "../support/ari/client.ts";
import { eventually } from "../support/ari/eventually.ts";

/**
 * What ARI shows of each outcome, asked of the real Asterisk and of the simulated one by the same tests. Where the two differ, the simulation is
 * wrong.
 */

/** Fetching the programs is part of the first run. */
const SETUP_LIMIT_MS = 240_000;
const TEST_LIMIT_MS = 60_000;
const APP = "burst-dialer";
/** Asterisk has noticed the end of a connection on loopback by then. */
const NOTICE_MS = 200;

const endpoint = (name: string, host: VoiceHost, target: string, qualify: string): string => `
[${name}]
type=endpoint
transport=transport-udp
context=nothing
disallow=all
allow=ulaw
media_address=${host.address}
bind_rtp_to_media_address=yes
aors=${name}
[${name}]
type=aor
contact=sip:${target}
${qualify}
`;
const DIALPLAN = `
[contract-wait]
exten => s,1,Wait(\${SECONDS})
 same => n,Hangup(16)
exten => end,1,Wait(\${SECONDS})
exten => busy,1,Hangup(17)
exten => _X.,1,Wait(1)
 same => n,Hangup(16)
exten => limited,1,Set(TIMEOUT(absolute)=1)
 same => n,Wait(30)
 same => n,Hangup(16)
[contract-play]
exten => s,1,Playback(\${SOUND})
 same => n,Hangup(16)
[contract-result]
exten => s,1,NoOp(call \${BURST_CALL_ID})
 same => n,Set(BURST_RESULT_greeted=\${BURST_name})
 same => n,Wait(0.2)
 same => n,Hangup(16)
`;

const PLANES: [string, () => Promise<VoicePlane>][] = [
	["real", () => realPlane()],
	["simulated", async () => simulatedPlane()],
];

describe.each(PLANES)("ARI of the %s Asterisk", (kind, makePlane) => {
	let block: AddressBlock;
	let dir: string;
	let plane: VoicePlane;
	let carrier: Carrier;
	let host: VoiceHost;
	let agent: AgentEnd;
	let ari: AriClient;
	let serial = 0;
	const newId = (): string => `${kind.slice(0, 4)}-${String(++serial).padStart(6, "0")}`;

	const call = async (number: string, request: Record<string, unknown> = {}): Promise<string> => {
		const channelId = newId();
		const answer = await ari.post("/channels", {
			endpoint: `PJSIP/${number}@carrier`,
			context: "contract-wait",
			extension: "s",
			priority: 1,
			callerId: "12025550100",
			timeout: 5,
			channelId,
			...request,
			variables: { SECONDS: "30", ...(request["variables"] as object | undefined) },
		});
		expect(answer.status).toBe(200);
		expect(answer.body).toMatchObject({ id: channelId, state: "Down" });
		return channelId;
	};
	/** The events of a call once it has ended, in their order. */
	const eventsOf = async (channelId: string, source: { events: AriEvent[] } = agent): Promise<AriEvent[]> => {
		const own = (): AriEvent[] => source.events.filter((event) => (event.channel ?? event.peer)?.id === channelId);
		await eventually(() => own().some((event) => event.type === "ChannelDestroyed"), `the end of ${channelId}`);
		return own();
	};
	const recordOf = async (number: string): Promise<CarrierCall[]> =>
		(await carrier.calls()).filter((each) => each.number === number);
	const endedAtCarrier = async (number: string): Promise<CarrierCall> => {
		let last: CarrierCall | undefined;
		await eventually(async () => {
			last = (await recordOf(number)).at(-1);
			return last?.endedAt !== undefined;
		}, `the end of ${number} at the carrier`);
		return last as CarrierCall;
	};
	let numberSerial = 0;
	/** Makes a number unique. */
	const unique = (prefix: string): string => `${prefix}${String(++numberSerial).padStart(7, "0")}`;

	beforeAll(async () => {
		block = await claimAddresses();
		dir = await mkdtemp(join(tmpdir(), "ari-contract-"));
		plane = await makePlane();
		expect(plane.kind).toBe(kind);
		agent = new AgentEnd();
		const agentAddress = await agent.listen(block.address(11));
		carrier = await plane.startCarrier({ address: block.address(200), port: 5060, dir: join(dir, "carrier") });
		host = await plane.startHost({ name: "host", address: block.address(11), dir: join(dir, "host"), agentAddress });
		ari = new AriClient(host.ari);
		await mkdir(join(host.etcDir, "burst-dialer"), { recursive: true });
		await writeFile(
			join(host.etcDir, "burst-dialer/pjsip.conf"),
			[
				endpoint("carrier", host, `${carrier.address}:5060`, ""),
				endpoint("qualified", host, `${carrier.address}:5060`, "qualify_frequency=1"),
				// Nothing is there.
				endpoint("down", host, `${block.address(201)}:5060`, "qualify_frequency=1\nqualify_timeout=0.5"),
				endpoint("nobody", host, `${block.address(202)}:5060`, ""),
			].join(""),
		);
		await writeFile(join(host.etcDir, "burst-dialer/extensions.conf"), DIALPLAN);
		for (const module of ["res_pjsip.so", "pbx_config.so"])
			expect((await ari.request("PUT", `/asterisk/modules/${module}`)).status).toBe(204);
		await agent.connected();
		expect((await ari.post(`/applications/${APP}/subscription?eventSource=endpoint:PJSIP/carrier`)).status).toBe(200);
	}, SETUP_LIMIT_MS);

	afterEach(async () => {
		await eventually(async () => ((await ari.get("/channels")).body as unknown[]).length === 0, "no channels left");
		expect(agent.problems).toEqual([]);
	});

	afterAll(async () => {
		await host?.stop();
		await carrier?.stop();
		await agent?.close();
		await block?.release();
		await rm(dir, { recursive: true, force: true });
	}, SETUP_LIMIT_MS);

	/** Types that decide what became of a call. */
	const DECISIVE = ["ChannelCreated", "Dial", "ChannelStateChange", "ChannelHangupRequest", "ChannelDestroyed"];
	const short = (event: AriEvent): string => {
		const state = (event.channel ?? event.peer)?.state;
		const details = [event.dialstatus, event.cause, event.tech_cause, event.soft === true ? "soft" : undefined];
		return [event.type, state, ...details].filter((part) => part !== undefined && part !== "").join(" ");
	};
	const story = (events: AriEvent[]): string[] => {
		const lines = events.filter(({ type }) => DECISIVE.includes(type)).map(short);
		// Dial RINGING and the change of state come from two threads of Asterisk, in either order and state.
		const ringing = lines.findIndex((line) => line.startsWith("Dial") && line.endsWith("RINGING"));
		if (ringing >= 0) {
			lines[ringing] = "Dial Ringing RINGING";
			const state = lines.indexOf("ChannelStateChange Ringing");
			if (state === ringing + 1) [lines[ringing], lines[state]] = [lines[state] as string, lines[ringing] as string];
		}
		return lines;
	};
	const BEGIN = ["ChannelCreated Down", "Dial Down"];
	const RING = [...BEGIN, "ChannelStateChange Ringing", "Dial Ringing RINGING"];
	const ANSWER = [...RING, "ChannelStateChange Up", "Dial Up ANSWER"];

	test.each([
		["2", "BUSY", 17, 486],
		["3", "NOANSWER", 1, 404],
		["5", "CONGESTION", 34, 503],
		["6", "NOANSWER", 21, 603],
		["8", "NOANSWER", 28, 484],
	])(
		"refused at once: %s…",
		async (digit, dialstatus, cause, techCause) => {
			const number = unique(digit);
			const events = await eventsOf(await call(number));
			expect(story(events)).toEqual([
				...BEGIN,
				`ChannelHangupRequest Down ${cause} ${techCause}`,
				`Dial Down ${dialstatus}`,
				`ChannelDestroyed Down ${cause} ${techCause}`,
			]);
			expect(await endedAtCarrier(number)).toMatchObject({ status: techCause, from: host.address });
		},
		TEST_LIMIT_MS,
	);

	test(
		"480 after ringing",
		async () => {
			const number = unique("4");
			const events = await eventsOf(await call(number));
			expect(story(events)).toEqual([
				...RING,
				"ChannelHangupRequest Ringing 19 480",
				"Dial Ringing NOANSWER",
				"ChannelDestroyed Ringing 19 480",
			]);
			const record = await endedAtCarrier(number);
			expect(record.status).toBe(480);
			expect(record.ringingAt).toBeDefined();
			expect(record.answeredAt).toBeUndefined();
		},
		TEST_LIMIT_MS,
	);

	test(
		"rings until our own time is over: no HangupRequest, no last Dial",
		async () => {
			const number = unique("7");
			const events = await eventsOf(await call(number, { timeout: 1 }));
			expect(story(events)).toEqual([...RING, "ChannelDestroyed Ringing 19 480"]);
			expect((await endedAtCarrier(number)).status).toBe(487);
		},
		TEST_LIMIT_MS,
	);

	test.each([
		["the carrier says nothing", "carrier"],
		["nobody is there", "nobody"],
	])(
		"no reply at all: %s",
		async (_, trunk) => {
			await ari.post(`/applications/${APP}/subscription?eventSource=endpoint:PJSIP/${trunk}`);
			const events = await eventsOf(await call("x", { endpoint: `PJSIP/${unique("0")}@${trunk}`, timeout: 1 }));
			expect(story(events)).toEqual([...BEGIN, "ChannelDestroyed Down 19 480"]);
		},
		TEST_LIMIT_MS,
	);

	test(
		"answered, and the far end hangs up: cause 0",
		async () => {
			const number = unique("10020000300");
			const events = await eventsOf(await call(number));
			expect(story(events)).toEqual([
				...ANSWER,
				"ChannelHangupRequest Up",
				"ChannelHangupRequest Up 16 soft",
				"ChannelDestroyed Up 0",
			]);
			const record = await endedAtCarrier(number);
			expect(record).toMatchObject({ status: 200 });
			expect(record.answeredAt).toBeGreaterThanOrEqual(record.ringingAt as number);
		},
		TEST_LIMIT_MS,
	);

	test(
		"answered, and the dialplan hangs up",
		async () => {
			const number = unique("900100");
			const events = await eventsOf(await call(number, { variables: { SECONDS: "0.3" } }));
			expect(story(events)).toEqual([...ANSWER, "ChannelHangupRequest Up 16 soft", "ChannelDestroyed Up 16"]);
			expect((await endedAtCarrier(number)).status).toBe(200);
		},
		TEST_LIMIT_MS,
	);

	test.each([
		["the end of the extension", { context: "contract-wait", extension: "end", variables: { SECONDS: "0.2" } }, [], 0],
		["a context that is not there", { context: "contract-none" }, [], 0],
		["an extension that is not there", { extension: "none" }, [], 0],
		["TIMEOUT(absolute) from the start", { variables: { "TIMEOUT(absolute)": "1" } }, [], 0],
		["TIMEOUT(absolute) from the answer", { extension: "limited" }, [], 0],
		["Hangup(17)", { extension: "busy" }, [486], 17],
	])(
		"answered, then %s",
		async (_, request, techCause, cause) => {
			const events = await eventsOf(await call(unique("900100"), request));
			expect(story(events)).toEqual([
				...ANSWER,
				"ChannelHangupRequest Up 16 soft",
				["ChannelDestroyed Up", cause, ...techCause].join(" "),
			]);
		},
		TEST_LIMIT_MS,
	);

	test(
		"TIMEOUT(absolute) before the answer looks like our own ring time",
		async () => {
			const events = await eventsOf(await call(unique("7"), { variables: { "TIMEOUT(absolute)": "1" } }));
			expect(story(events)).toEqual([...RING, "ChannelDestroyed Ringing 19 480"]);
		},
		TEST_LIMIT_MS,
	);

	test(
		"an extension is found by its pattern",
		async () => {
			const events = await eventsOf(await call(unique("900100"), { extension: "123" }));
			expect(story(events).at(-1)).toBe("ChannelDestroyed Up 16");
		},
		TEST_LIMIT_MS,
	);

	test.each([
		["a sound that is there", "hello-world", "SUCCESS"],
		["a sound that is missing", "no-such-sound", "FAILED"],
	])(
		"plays %s, and hangs up",
		async (_, sound, status) => {
			const events = await eventsOf(
				await call(unique("900100"), { context: "contract-play", variables: { SOUND: sound } }),
			);
			expect(story(events)).toEqual([...ANSWER, "ChannelHangupRequest Up 16 soft", "ChannelDestroyed Up 16"]);
			expect(events.find(({ variable }) => variable === "PLAYBACKSTATUS")?.value).toBe(status);
			const applications = events.filter(({ type }) => type === "ChannelDialplan").map((event) => event.dialplan_app);
			expect(applications).toEqual(["AppDial2", "Playback", "Hangup"]);
		},
		TEST_LIMIT_MS,
	);

	test(
		"variables come with the call, and results go back as events",
		async () => {
			const variables = { BURST_name: "Ada L.", BURST_CALL_ID: "c-1" };
			const events = await eventsOf(await call(unique("900100"), { context: "contract-result", variables }));
			const set = events.filter(({ type }) => type === "ChannelVarset").map(({ variable, value }) => [variable, value]);
			expect(set).toEqual(expect.arrayContaining([...Object.entries(variables), ["BURST_RESULT_greeted", "Ada L."]]));
		},
		TEST_LIMIT_MS,
	);

	test.each([
		["16", [], "NOANSWER", 16],
		["17", [486], "BUSY", 17],
		["19", [480], "NOANSWER", 19],
		["21", [403], "NOANSWER", 21],
		["34", [503], "CONGESTION", 34],
		["3", [404], "CHANUNAVAIL", 3],
		["102", [], "NOANSWER", 102],
	])(
		"hung up while ringing with reason_code %s",
		async (code, techCause, dialstatus, cause) => {
			const number = unique("7");
			const id = await call(number);
			await agent.until((event) => event.peer?.id === id && event.dialstatus === "RINGING", `ringing of ${id}`);
			expect((await ari.request("DELETE", `/channels/${id}?reason_code=${code}`)).status).toBe(204);
			expect(story(await eventsOf(id))).toEqual([
				...RING,
				"ChannelHangupRequest Ringing 32 soft",
				`Dial Ringing ${dialstatus}`,
				["ChannelDestroyed Ringing", cause, ...techCause].join(" "),
			]);
			expect((await endedAtCarrier(number)).status).toBe(487);
		},
		TEST_LIMIT_MS,
	);

	test(
		"hung up while up",
		async () => {
			const number = unique("900050");
			const id = await call(number);
			await agent.until((event) => event.peer?.id === id && event.dialstatus === "ANSWER", `answer of ${id}`);
			expect((await ari.request("DELETE", `/channels/${id}?reason_code=16`)).status).toBe(204);
			expect(story(await eventsOf(id))).toEqual([
				...ANSWER,
				"ChannelHangupRequest Up 32 soft",
				"ChannelHangupRequest Up 16 soft",
				"ChannelDestroyed Up 16",
			]);
			expect((await endedAtCarrier(number)).status).toBe(200);
		},
		TEST_LIMIT_MS,
	);

	test("refuses what it cannot hang up", async () => {
		const id = await call(unique("7"));
		const status = async (path: string): Promise<unknown[]> => {
			const answer = await ari.request("DELETE", path);
			return [answer.status, (answer.body as { message?: string } | undefined)?.message];
		};
		expect(await status("/channels/nobody?reason_code=16")).toEqual([404, "Channel not found"]);
		expect(await status(`/channels/${id}?reason_code=abc`)).toEqual([
			400,
			"Invalid reason for hangup reason code provided",
		]);
		expect(await status(`/channels/${id}?reason=abc`)).toEqual([400, "Invalid reason for hangup reason provided"]);
		expect(await status(`/channels/${id}?reason=busy&reason_code=17`)).toEqual([
			400,
			"The reason and reason_code can't both be specified",
		]);
		expect(await status(`/channels/${id}`)).toEqual([204, undefined]);
		await eventsOf(id);
		expect(await status(`/channels/${id}`)).toEqual([404, "Channel not found"]);
	});

	test("an id is taken while a channel has it, or one that begins with it, and free afterwards", async () => {
		const originate = async (channelId: string): Promise<number> =>
			(
				await ari.post("/channels", {
					endpoint: `PJSIP/${unique("7")}@carrier`,
					context: "contract-wait",
					extension: "s",
					channelId,
				})
			).status;
		expect(await Promise.all(Array.from({ length: 8 }, () => originate("taken-10")))).toEqual(
			expect.arrayContaining([200, 409, 409, 409, 409, 409, 409, 409]),
		);
		expect(await originate("taken-1")).toBe(409);
		expect(await originate("taken-100")).toBe(200);
		for (const id of ["taken-10", "taken-100"]) await ari.request("DELETE", `/channels/${id}`);
		for (const id of ["taken-10", "taken-100"]) await eventsOf(id);
		expect(await originate("taken-1")).toBe(200);
		await ari.request("DELETE", "/channels/taken-1");
		await eventsOf("taken-1");
	});

	test("refuses what it cannot originate, without an event", async () => {
		const before = agent.events.length;
		const refused = async (request: Record<string, unknown>): Promise<unknown[]> => {
			const answer = await ari.post("/channels", { context: "contract-wait", extension: "s", ...request });
			return [answer.status, answer.body];
		};
		const failed = [500, { error: "Allocation failed" }];
		expect(await refused({ endpoint: "PJSIP/2000@nowhere" })).toEqual(failed);
		expect(await refused({ endpoint: "NOTHING/2000" })).toEqual(failed);
		expect(await refused({ endpoint: "nonsense" })).toEqual([400, { message: "Invalid endpoint specified" }]);
		expect(await refused({})).toEqual([400, { message: "Endpoint must be specified" }]);
		expect(await refused({ endpoint: "PJSIP/2000@carrier", extension: undefined })).toEqual([
			400,
			{ message: "Application or extension must be specified" },
		]);
		expect(await refused({ endpoint: "PJSIP/2000@carrier", channelId: "x".repeat(150) })).toEqual([
			400,
			{ message: "Uniqueid length exceeds maximum of 149" },
		]);
		expect(await refused({ endpoint: "PJSIP/2000@carrier", variables: { count: 5 } })).toMatchObject([400, {}]);
		expect(agent.events.slice(before)).toEqual([]);
	});

	test("after a 409, each later refusal on the same connection is called a 409 too", async () => {
		const connection = new AriClient(host.ari, { oneConnection: true });
		const originate = async (endpointName: string, channelId: string): Promise<number> =>
			(
				await connection.post("/channels", {
					endpoint: `PJSIP/${unique("7")}@${endpointName}`,
					context: "contract-wait",
					extension: "s",
					channelId,
				})
			).status;
		const [first, second, third] = [newId(), newId(), newId()];
		expect(await originate("nowhere", first)).toBe(500);
		expect(await originate("carrier", second)).toBe(200);
		expect(await originate("carrier", second)).toBe(409);
		// The id is free, and nothing was placed.
		expect(await originate("nowhere", third)).toBe(409);
		expect((await connection.get(`/channels/${third}`)).status).toBe(404);
		// Over a success, too.
		expect(await originate("carrier", third)).toBe(200);
		expect(await originate("nowhere", first)).toBe(409);
		connection.close();
		for (const id of [second, third]) await ari.request("DELETE", `/channels/${id}`);
		for (const id of [second, third]) await eventsOf(id);
	});

	test(
		"a qualified trunk takes calls while its carrier answers OPTIONS, and refuses them once it does not",
		async () => {
			const state = async (name: string): Promise<unknown> =>
				((await ari.get(`/endpoints/PJSIP/${name}`)).body as { state?: string }).state;
			const originate = async (trunk: string): Promise<number> =>
				(
					await ari.post("/channels", {
						endpoint: `PJSIP/${unique("2")}@${trunk}`,
						context: "contract-wait",
						extension: "s",
						timeout: 1,
					})
				).status;
			await eventually(async () => (await state("qualified")) === "online", "the qualified trunk");
			expect(await originate("qualified")).toBe(200);
			await eventually(async () => (await originate("down")) === 500, "the trunk that is down");
			expect(await state("down")).toBe("offline");
			expect(await state("carrier")).toBe("online");
		},
		TEST_LIMIT_MS,
	);

	test(
		"shows channels as it sends them in events",
		async () => {
			const id = await call(unique("900050"), { callerId: '"Burst Dialer" <12025550100>' });
			await agent.until((event) => event.peer?.id === id && event.dialstatus === "ANSWER", `answer of ${id}`);
			const one = await ari.get(`/channels/${id}`);
			expect(one).toMatchObject({
				status: 200,
				body: {
					id,
					name: expect.stringMatching(/^PJSIP\/carrier-[0-9a-f]{8}$/),
					state: "Up",
					caller: { name: "Burst Dialer", number: "12025550100" },
					connected: { name: "Burst Dialer", number: "12025550100" },
					dialplan: { context: "contract-wait", exten: "s", priority: 1, app_name: "Wait", app_data: "30" },
				},
			});
			expect((await ari.get("/channels")).body).toEqual([one.body]);
			expect((await ari.get(`/channels/${id}/variable?variable=SECONDS`)).body).toEqual({ value: "30" });
			expect((await ari.get(`/channels/${id}/variable?variable=NOTHING`)).status).toBe(404);
			const answered = agent.events.find((event) => event.peer?.id === id && event.dialstatus === "ANSWER");
			expect(Object.keys(answered?.peer ?? {}).sort()).toEqual(Object.keys(one.body as object).sort());
			await ari.request("DELETE", `/channels/${id}`);
			await eventsOf(id);
		},
		TEST_LIMIT_MS,
	);

	test("every event has the fields it has on the other Asterisk", async () => {
		const busy = await eventsOf(await call(unique("2")));
		const answered = await eventsOf(await call(unique("10005000100")));
		const keys = new Map(
			[...busy, ...answered].map((event) => [
				short(event).replace(/^(ChannelVarset|ChannelDialplan).*/, "$1"),
				Object.keys(event).sort(),
			]),
		);
		const common = ["application", "asterisk_id", "timestamp", "type"];
		const withKeys = (...more: string[]): string[] => [...common, ...more].sort();
		expect(Object.fromEntries(keys)).toMatchObject({
			"ChannelCreated Down": withKeys("channel"),
			ChannelDialplan: withKeys("channel", "dialplan_app", "dialplan_app_data"),
			"ChannelCallerId Down": withKeys("channel", "caller_presentation", "caller_presentation_txt"),
			"ChannelConnectedLine Down": withKeys("channel"),
			ChannelVarset: withKeys("channel", "variable", "value"),
			"Dial Down": withKeys("peer", "dialstatus", "dialstring", "forward"),
			"ChannelHangupRequest Down 17 486": withKeys("channel", "cause", "tech_cause"),
			"Dial Down BUSY": withKeys("peer", "dialstatus", "dialstring", "forward"),
			"ChannelDestroyed Down 17 486": withKeys("channel", "cause", "cause_txt", "tech_cause"),
			"ChannelStateChange Up": withKeys("channel"),
			"ChannelHangupRequest Up": withKeys("channel"),
			"ChannelHangupRequest Up 16 soft": withKeys("channel", "cause", "soft"),
			"ChannelDestroyed Up 0": withKeys("channel", "cause", "cause_txt"),
		});
		const destroyed = busy.find(({ type }) => type === "ChannelDestroyed");
		expect(destroyed?.["cause_txt"]).toBe("User busy");
		expect(destroyed?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
	});

	test(
		"events that happen while the agent is away come after it is back, in order, over the outbound websocket",
		async () => {
			await agent.close();
			// Asterisk hears of it a moment later; what it sends before that is lost.
			await delay(NOTICE_MS);
			const ids: string[] = [];
			for (let i = 0; i < 30; i++) ids.push(await call(unique(i % 2 === 0 ? "2" : "4")));
			await eventually(
				async () => ((await ari.get("/channels")).body as unknown[]).length === 0,
				"the end of the calls",
			);
			expect(agent.events.some((event) => event.channel?.id === ids[0])).toBe(false);
			await agent.listen(block.address(11), agent.port);
			await agent.connected();
			for (const id of ids) {
				const lines = story(await eventsOf(id));
				expect(lines[0]).toBe("ChannelCreated Down");
				expect(lines.at(-1)).toMatch(/^ChannelDestroyed/);
			}
			const registered = agent.events.find(({ type }) => type === "ApplicationRegistered");
			expect(registered?.["application"]).toBe(APP);
			// Subscriptions are still there.
			expect((await ari.get(`/applications/${APP}`)).body).toMatchObject({
				endpoint_ids: expect.arrayContaining(["PJSIP/carrier"]),
			});
		},
		TEST_LIMIT_MS,
	);

	test(
		"an inbound websocket loses what happens while it is away, and keeps its subscriptions",
		async () => {
			const first = await InboundEvents.connect(host.ari, "inbound-app");
			await ari.post("/applications/inbound-app/subscription?eventSource=endpoint:PJSIP/carrier");
			const seen = await call(unique("2"));
			await eventsOf(seen, first);
			await first.close();
			const missed = await call(unique("2"));
			await eventsOf(missed);
			const second = await InboundEvents.connect(host.ari, "inbound-app");
			const later = await call(unique("2"));
			await eventsOf(later, second);
			expect(second.events.some((event) => event.channel?.id === missed)).toBe(false);
			await second.close();
		},
		TEST_LIMIT_MS,
	);

	test("takes requests over the websocket", async () => {
		const rest = (request: Record<string, unknown>): Promise<AriEvent> => agent.rest(request);
		const ping = await rest({ method: "GET", uri: "asterisk/ping" });
		expect(ping).toMatchObject({ status_code: 200, reason_phrase: "OK", uri: "asterisk/ping" });
		expect(JSON.parse(String(ping["message_body"]))).toMatchObject({ ping: "pong" });
		expect(await rest({ method: "DELETE", uri: "channels/nobody?reason_code=16" })).toMatchObject({
			status_code: 404,
			message_body: '{"message":"Channel not found"}',
		});
		expect(await rest({ method: "GET", uri: "/asterisk/ping" })).toMatchObject({ status_code: 405 });
		expect(await rest({ method: "GET", uri: "no/thing" })).toMatchObject({ status_code: 404 });
		const channelId = newId();
		const originated = await rest({
			method: "POST",
			uri: "channels",
			query_strings: [{ name: "channelId", value: channelId }],
			content_type: "application/json",
			message_body: JSON.stringify({
				endpoint: `PJSIP/${unique("2")}@carrier`,
				context: "contract-wait",
				extension: "s",
			}),
		});
		expect(originated).toMatchObject({ status_code: 200 });
		await eventsOf(channelId);
	});

	test("answers what the agent asks about Asterisk itself", async () => {
		expect(await ari.get("/asterisk/info")).toMatchObject({
			status: 200,
			body: { system: { version: expect.stringMatching(/^22\./) }, status: { startup_time: expect.any(String) } },
		});
		expect(Object.keys((await ari.get("/asterisk/info?only=status")).body as object)).toEqual(["status"]);
		expect(await ari.get("/asterisk/ping")).toMatchObject({ status: 200, body: { ping: "pong" } });
		expect((await ari.request("PUT", "/asterisk/modules/no_such_module.so")).status).toBe(404);
		expect(await ari.get("/applications")).toMatchObject({ status: 200, body: expect.any(Array) });
		expect(await ari.post("/applications/no-app/subscription?eventSource=endpoint:PJSIP/carrier")).toMatchObject({
			status: 404,
			body: { message: "Application not found" },
		});
		expect(await ari.post(`/applications/${APP}/subscription?eventSource=endpoint:PJSIP/nowhere`)).toMatchObject({
			status: 422,
			body: { message: "Event source does not exist" },
		});
		expect(await ari.post(`/applications/${APP}/subscription?eventSource=nonsense:x`)).toMatchObject({ status: 400 });
		expect(await ari.get("/nothing")).toMatchObject({ status: 404, body: { message: "Resource not found" } });
		expect((await ari.request("PUT", "/channels")).status).toBe(405);
		const stranger = new AriClient({ ...host.ari, password: "wrong" });
		expect((await stranger.get("/asterisk/info")).status).toBe(401);
	});

	test(
		"SIGTERM ends calls with events and BYEs; a new start has a new startup_time and no channels",
		async () => {
			const started = (await ari.get("/asterisk/info?only=status")).body;
			const number = unique("900050");
			const id = await call(number);
			await agent.until((event) => event.peer?.id === id && event.dialstatus === "ANSWER", `answer of ${id}`);
			const ringing = await call(unique("7"));
			await agent.until(
				(event) => event.peer?.id === ringing && event.dialstatus === "RINGING",
				`ringing of ${ringing}`,
			);
			await host.stop();
			expect(story(await eventsOf(id))).toEqual([
				...ANSWER,
				"ChannelHangupRequest Up 4 soft",
				"ChannelHangupRequest Up 16 soft",
				"ChannelDestroyed Up 0",
			]);
			expect(story(await eventsOf(ringing))).toEqual([
				...RING,
				"ChannelHangupRequest Ringing 4 soft",
				"Dial Ringing NOANSWER",
				"ChannelDestroyed Ringing 0",
			]);
			expect((await endedAtCarrier(number)).status).toBe(200);
			await host.start();
			expect((await ari.get("/asterisk/info?only=status")).body).not.toEqual(started);
			expect((await ari.get("/channels")).body).toEqual([]);
			await agent.connected();
			expect((await ari.post(`/applications/${APP}/subscription?eventSource=endpoint:PJSIP/carrier`)).status).toBe(200);
		},
		SETUP_LIMIT_MS,
	);

	test(
		"after kill -9 nobody is told: no events, no BYE, subscriptions gone",
		async () => {
			const number = unique("900050");
			const id = await call(number);
			await agent.until((event) => event.peer?.id === id && event.dialstatus === "ANSWER", `answer of ${id}`);
			await host.kill();
			await host.start();
			await agent.connected();
			expect(agent.events.some(({ type, channel }) => type === "ChannelDestroyed" && channel?.id === id)).toBe(false);
			expect((await ari.get(`/applications/${APP}`)).body).toMatchObject({ endpoint_ids: [] });
			expect((await recordOf(number)).map(({ endedAt }) => endedAt)).toEqual([undefined]);
			expect((await ari.get("/channels")).body).toEqual([]);
		},
		SETUP_LIMIT_MS,
	);
});
