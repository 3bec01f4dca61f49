import {
	DescribeInstancesCommand,
	EC2Client,
	RebootInstancesCommand,
	RunInstancesCommand,
	type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { realTimers } from "../../../local/ec2/timers.ts";
import { ec2Client } from "../../../shared/aws/clients.ts";
import { ec2Adapter } from "../../../shared/aws/ec2.ts";
import { parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import { LAUNCH_TAG, STACK_TAG } from "../../../shared/fleet/ec2.ts";
import type { Offering } from "../../../shared/fleet/offerings.ts";
import { eventually } from "../../support/ari/eventually.ts";
import { type EmulatedBench, openEmulated, RecordingMachine } from "../../support/contracts/ec2-emulated.ts";

const OFFERING: Offering = { type: "c7g.large", subnet: "subnet-0a", market: "on-demand", usdPerHour: 0.0775 };
/** The bench's boot takes 30 s: EC2 says running after 3, at most. */
const RUNNING_MS = 3_000;
const BOOT_MS = 30_000;
const STOP_MS = 5_000;

let bench: EmulatedBench;
beforeEach(async () => {
	bench = await openEmulated();
});
afterEach(() => bench.close());

const launch = async (count = 1, changes: Partial<Offering> = {}): Promise<string[]> => {
	const clientToken = `t-${bench.machines.size}`;
	const given = await bench.ec2.launch({ clientToken, offering: { ...OFFERING, ...changes }, count });
	return given.map(({ instanceId }) => instanceId);
};
const launchOne = async (changes: Partial<Offering> = {}): Promise<string> => (await launch(1, changes))[0] ?? "";
const machineOf = (id: string): RecordingMachine => bench.machines.get(id) ?? new RecordingMachine();
const stateOf = async (id: string): Promise<string | undefined> =>
	(await bench.ec2.describe()).find(({ instanceId }) => instanceId === id)?.state;
const toldOf = (id: string): string[] =>
	bench.events.filter(({ instanceId }) => instanceId === id).map(({ detail }) => String(detail["state"] ?? "notice"));

describe("an instance", () => {
	test("is running before its machine is on, which it is bootSec after the request", async () => {
		const id = await launchOne();
		await bench.time.advance(RUNNING_MS - 1);
		expect(await stateOf(id)).toBe("pending");
		await bench.time.advance(1);
		expect(await stateOf(id)).toBe("running");
		await bench.time.advance(BOOT_MS - RUNNING_MS - 1);
		expect(machineOf(id).did).toEqual([]);
		await bench.time.advance(1);
		expect(machineOf(id).did).toEqual(["on"]);
	});

	test("tells its machine who it is, at each start anew", async () => {
		const id = await launchOne({ subnet: "subnet-0b" });
		const startedAt = bench.time.now();
		await bench.settle();
		const who = {
			instanceId: id,
			imageId: "ami-0burst",
			instanceType: "c7g.large",
			account: "123456789012",
			region: "eu-central-1",
			zone: "eu-central-1b",
			userData: "api=https://api.example",
		};
		expect(machineOf(id).identity).toEqual({ ...who, pendingAt: startedAt });
		await bench.ec2.stop([id]);
		await bench.settle();
		const again = bench.time.now();
		await bench.ec2.start([id]);
		await bench.settle();
		expect(machineOf(id).identity).toEqual({ ...who, pendingAt: again });
		expect(machineOf(id).did).toEqual(["on", "off", "on"]);
	});

	test("shows its machine the address that it is given, before and after it is on", async () => {
		const [a = "", b = ""] = await launch(2);
		await bench.time.advance(RUNNING_MS);
		await bench.ec2.associate("eipalloc-01", a);
		await bench.settle();
		await bench.ec2.associate("eipalloc-02", b);
		expect(machineOf(a).identity?.publicAddress).toBe("203.0.113.1");
		expect(machineOf(b).identity?.publicAddress).toBe("203.0.113.2");
		await bench.ec2.stop([b]);
		await bench.settle();
		await bench.ec2.start([b]);
		await bench.settle();
		expect(machineOf(b).identity?.publicAddress).toBe("203.0.113.2");
	});

	test("is stopped when its machine is off, at the earliest after stopMs, and its disk stays", async () => {
		const id = await launchOne();
		await bench.settle();
		let off: () => void = () => undefined;
		machineOf(id).steps.off = () => new Promise((resolve) => (off = resolve));
		await bench.ec2.stop([id]);
		delete machineOf(id).steps.off;
		expect(machineOf(id).did).toEqual(["on", "off"]);
		await bench.time.advance(STOP_MS * 10);
		expect(await stateOf(id)).toBe("stopping");
		off();
		await bench.time.advance(0);
		expect(await stateOf(id)).toBe("stopped");
		expect(machineOf(id).did).toEqual(["on", "off"]);
	});

	test("terminated: off, the disk destroyed, shown for an hour", async () => {
		const id = await launchOne();
		await bench.settle();
		await bench.ec2.terminate([id]);
		await bench.time.advance(STOP_MS - 1);
		expect(await stateOf(id)).toBe("shutting-down");
		await bench.time.advance(1);
		expect(machineOf(id).did).toEqual(["on", "off", "destroy"]);
		await bench.time.advance(3_600_000);
		expect(await bench.ec2.describe()).toMatchObject([{ state: "terminated", subnet: "" }]);
		await bench.time.advance(1);
		expect(await bench.ec2.describe()).toEqual([]);
		await expect(bench.ec2.start([id])).rejects.toMatchObject({ code: "InvalidInstanceID.NotFound" });
	});

	test("stopped before its machine was on: it never is", async () => {
		const id = await launchOne();
		await bench.time.advance(RUNNING_MS);
		await bench.ec2.stop([id]);
		await bench.time.advance(BOOT_MS * 2);
		expect(machineOf(id).did).toEqual(["off"]);
		expect(await stateOf(id)).toBe("stopped");
	});

	test("its machine is switched off while it is still being switched on", async () => {
		const id = await launchOne();
		let on: () => void = () => undefined;
		machineOf(id).steps.on = () => new Promise((resolve) => (on = resolve));
		await bench.time.advance(BOOT_MS);
		await bench.ec2.stop([id]);
		expect(machineOf(id).did).toEqual(["on", "off"]);
		await bench.time.advance(STOP_MS);
		expect(await stateOf(id)).toBe("stopping");
		on();
		await bench.time.advance(0);
		expect(await stateOf(id)).toBe("stopped");
	});

	test("a machine that fails is logged; EC2 says running all the same", async () => {
		const id = await launchOne();
		machineOf(id).steps.on = () => Promise.reject(new Error("no power"));
		await bench.settle();
		expect(await stateOf(id)).toBe("running");
		expect(bench.log).toContainEqual(
			expect.objectContaining({ level: "error", event: "ec2.machineFailed", instanceId: id, verb: "on" }),
		);
		await bench.ec2.terminate([id]);
		await bench.settle();
		expect(machineOf(id).did).toEqual(["on", "off", "destroy"]);
	});

	test("terminated while it stops: it ends terminated, not stopped", async () => {
		const id = await launchOne();
		await bench.settle();
		await bench.ec2.stop([id]);
		await bench.time.advance(STOP_MS - 1);
		await bench.ec2.terminate([id]);
		await bench.settle();
		expect(toldOf(id)).toEqual(["pending", "running", "stopping", "shutting-down", "terminated"]);
		expect(bench.emulated.history()).toMatchObject([{ state: "terminated" }]);
	});
});

test("on the process's own time it boots and stops just so", async () => {
	await bench.close();
	bench = await openEmulated({ timers: realTimers(), bootSec: 0.06, stopMs: 20 });
	const id = await launchOne();
	await eventually(() => machineOf(id).did.includes("on"), "power on");
	expect(await stateOf(id)).toBe("running");
	await bench.ec2.stop([id]);
	await eventually(async () => (await stateOf(id)) === "stopped", "stopped");
	expect(toldOf(id).slice(0, 3)).toEqual(["pending", "running", "stopping"]);
	const [{ billed } = { billed: [] }] = bench.emulated.history();
	expect(billed).toEqual([{ fromMs: expect.any(Number), toMs: expect.any(Number) }]);
}, 60_000);

describe("the bill", () => {
	test("counts from running to the request to stop, for each start", async () => {
		const id = await launchOne();
		const first = bench.time.now();
		await bench.time.advance(90_000);
		await bench.ec2.stop([id]);
		const stop = bench.time.now();
		await bench.time.advance(600_000);
		await bench.ec2.start([id]);
		const second = bench.time.now();
		await bench.time.advance(RUNNING_MS);
		expect(bench.emulated.history()).toEqual([
			{
				instanceId: id,
				type: "c7g.large",
				subnet: "subnet-0a",
				market: "on-demand",
				state: "running",
				billed: [{ fromMs: first + RUNNING_MS, toMs: stop }, { fromMs: second + RUNNING_MS }],
			},
		]);
	});

	test("nothing for an instance that was ended while pending; until the loss for one that was lost", async () => {
		const [young = "", lost = "", forgotten = ""] = await launch(3);
		await bench.ec2.terminate([young]);
		await bench.time.advance(10_000);
		await bench.emulated.lose(lost);
		await bench.emulated.lose(forgotten, { forgotten: true });
		const at = bench.time.now();
		await bench.settle();
		const billed = Object.fromEntries(bench.emulated.history().map((each) => [each.instanceId, each.billed]));
		const whole = [{ fromMs: at - 10_000 + RUNNING_MS, toMs: at }];
		expect(billed).toEqual({ [young]: [], [lost]: whole, [forgotten]: whole });
		expect(machineOf(lost).did).toEqual(["off", "destroy"]);
	});
});

describe("events", () => {
	test("tell each change once, as EventBridge has it", async () => {
		const id = await launchOne();
		const at = bench.time.now();
		await bench.settle();
		await bench.ec2.stop([id]);
		await bench.settle();
		expect(toldOf(id)).toEqual(["pending", "running", "stopping", "stopped"]);
		expect(bench.events[0]).toEqual({
			detailType: "EC2 Instance State-change Notification",
			at,
			instanceId: id,
			detail: { "instance-id": id, state: "pending" },
		});
	});

	test("late and more than once", async () => {
		bench.setFaults({ lateMs: 4_000, duplicateEvents: 2 });
		const id = await launchOne();
		await bench.time.advance(3_999);
		expect(bench.events).toEqual([]);
		expect(await bench.ec2.describe()).toEqual([]);
		await bench.time.advance(1);
		expect(toldOf(id)).toEqual(["pending", "pending", "pending"]);
		// It has been running for a second by now, and that is not said yet.
		expect(await stateOf(id)).toBe("pending");
		await bench.time.advance(RUNNING_MS);
		expect(toldOf(id).slice(3)).toEqual(["running", "running", "running"]);
		expect(await stateOf(id)).toBe("running");
		// What is asked is done on the truth, not on what is shown.
		await bench.ec2.terminate([id]);
		await bench.time.advance(STOP_MS);
		await expect(bench.ec2.stop([id])).resolves.toBeUndefined();
		expect(bench.emulated.history()).toMatchObject([{ state: "terminated" }]);
	});

	test("a listener that fails harms nothing", async () => {
		await bench.close();
		bench = await openEmulated({
			onEvent: () => {
				throw new Error("no queue");
			},
		});
		const id = await launchOne();
		await bench.settle();
		expect(await stateOf(id)).toBe("running");
		expect(bench.log).toContainEqual(expect.objectContaining({ level: "error", event: "ec2.eventFailed" }));
	});

	test("a spot instance is given notice, then terminated", async () => {
		const id = await launchOne({ market: "spot" });
		await bench.settle();
		bench.emulated.recommendRebalance(id);
		await bench.emulated.interrupt(id, 120_000);
		await bench.time.advance(119_999);
		expect(await stateOf(id)).toBe("running");
		expect(bench.events.slice(2)).toMatchObject([
			{ detailType: "EC2 Instance Rebalance Recommendation", detail: { "instance-id": id } },
			{
				detailType: "EC2 Spot Instance Interruption Warning",
				detail: { "instance-id": id, "instance-action": "terminate" },
			},
		]);
		await bench.time.advance(1);
		expect(await stateOf(id)).toBe("shutting-down");
		await bench.settle();
		expect(await stateOf(id)).toBe("terminated");
	});

	test("only a spot instance that is up can be interrupted", async () => {
		await expect(bench.emulated.interrupt(await launchOne(), 1)).rejects.toThrow("no spot instance");
		const spot = await launchOne({ market: "spot" });
		await bench.ec2.terminate([spot]);
		await expect(bench.emulated.interrupt(spot, 1)).rejects.toThrow("no spot instance");
		await expect(bench.emulated.interrupt("i-0", 1)).rejects.toThrow("no instance i-0");
	});
});

describe("faults", () => {
	test("the second to boot never does; the count begins when the fault is set", async () => {
		await launchOne();
		await bench.emulated.addStranger({ [STACK_TAG]: bench.stack });
		bench.setFaults({ neverBoot: [2] });
		const [a = "", b = "", c = ""] = await launch(3);
		await bench.settle();
		expect([a, b, c].map((id) => machineOf(id).did)).toEqual([["on"], [], ["on"]]);
		expect(await stateOf(b)).toBe("running");
		await bench.ec2.stop([b]);
		await bench.settle();
		await bench.ec2.start([b]);
		await bench.settle();
		expect(machineOf(b).did).toEqual(["off", "on"]);
	});

	test("a launch whose answer is lost was carried out: its repeat gives the same", async () => {
		bench.setFaults({ loseAnswers: 1 });
		const request = { clientToken: "t-lost", offering: OFFERING, count: 2 };
		const error = await bench.ec2.launch(request).then(String, (thrown: unknown) => thrown);
		expect(error).toMatchObject({ name: "Ec2Error", kind: "unknown" });
		expect(await bench.ec2.launch(request)).toHaveLength(2);
		expect(bench.emulated.history()).toHaveLength(2);
	});

	test("rooms are counted down, the object given is left as it is", async () => {
		const room = { "c7g.large/*": 3 };
		bench.setFaults({ room });
		await launch(2);
		expect(await launch(2)).toHaveLength(1);
		expect(room).toEqual({ "c7g.large/*": 3 });
	});

	test("calls are counted by action, the refused ones too", async () => {
		bench.setFaults({ throttle: 1 });
		await expect(bench.ec2.describe()).rejects.toMatchObject({ kind: "throttled" });
		await bench.ec2.describe();
		await launchOne();
		expect(bench.emulated.calls()).toEqual({ DescribeInstances: 2, RunInstances: 1 });
	});

	test("one action is throttled, the others are not", async () => {
		const throttleAction = { RunInstances: 1 };
		bench.setFaults({ throttleAction });
		await bench.ec2.describe();
		await expect(launchOne()).rejects.toMatchObject({ kind: "throttled" });
		await launchOne();
		expect(throttleAction).toEqual({ RunInstances: 1 });
	});
});

describe("the query API", () => {
	const run = (changes: Partial<RunInstancesCommandInput>) =>
		bench.client.send(
			new RunInstancesCommand({
				LaunchTemplate: { LaunchTemplateId: "lt-0burst", Version: "$Latest" },
				InstanceType: "c7g.large",
				SubnetId: "subnet-0a",
				MinCount: 1,
				MaxCount: 1,
				...changes,
			}),
		);

	test.each<{ what: string; changes: Partial<RunInstancesCommandInput>; code: string }>([
		{ what: "a parameter it does not know", changes: { KeyName: "k" }, code: "UnknownParameter" },
		{ what: "a network interface", changes: { NetworkInterfaces: [{ DeviceIndex: 0 }] }, code: "UnknownParameter" },
		{
			what: "another template",
			changes: { LaunchTemplate: { LaunchTemplateId: "lt-0other" } },
			code: "InvalidLaunchTemplateId.NotFound",
		},
		{
			what: "a version that is not there",
			changes: { LaunchTemplate: { LaunchTemplateId: "lt-0burst", Version: "7" } },
			code: "InvalidLaunchTemplateId.VersionNotFound",
		},
		{ what: "no template", changes: { LaunchTemplate: {} }, code: "MissingParameter" },
		{ what: "another subnet", changes: { SubnetId: "subnet-0z" }, code: "InvalidSubnetID.NotFound" },
		{ what: "another type", changes: { InstanceType: "t4g.nano" }, code: "InvalidParameterValue" },
		{ what: "none at least", changes: { MinCount: 0 }, code: "InvalidParameterValue" },
		{ what: "fewer than at least", changes: { MinCount: 3, MaxCount: 2 }, code: "InvalidParameterValue" },
		{ what: "a token that is too long", changes: { ClientToken: "x".repeat(65) }, code: "InvalidParameterValue" },
		{ what: "a token that is not ASCII", changes: { ClientToken: "tökén" }, code: "InvalidParameterValue" },
		{
			what: "a market that there is not",
			changes: { InstanceMarketOptions: { MarketType: "capacity-block" } },
			code: "InvalidParameterValue",
		},
		{
			what: "a persistent spot request",
			changes: { InstanceMarketOptions: { MarketType: "spot", SpotOptions: { SpotInstanceType: "persistent" } } },
			code: "InvalidParameterValue",
		},
		{
			what: "tags of a resource it does not make",
			changes: { TagSpecifications: [{ ResourceType: "snapshot", Tags: [{ Key: "a", Value: "b" }] }] },
			code: "InvalidParameterValue",
		},
		{
			what: "tags of a spot request that it does not make",
			changes: { TagSpecifications: [{ ResourceType: "spot-instances-request", Tags: [{ Key: "a", Value: "b" }] }] },
			code: "InvalidParameterValue",
		},
		{
			what: "one tag twice",
			changes: {
				TagSpecifications: [
					{
						ResourceType: "instance",
						Tags: [
							{ Key: "a", Value: "b" },
							{ Key: "a", Value: "c" },
						],
					},
				],
			},
			code: "InvalidParameterValue",
		},
		{
			what: "a tag of AWS's own",
			changes: { TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "aws:a", Value: "b" }] }] },
			code: "InvalidParameterValue",
		},
	])("a launch with $what is refused", async ({ changes, code }) => {
		await expect(run(changes)).rejects.toMatchObject({ name: code, $metadata: { httpStatusCode: 400 } });
		expect(bench.emulated.history()).toEqual([]);
	});

	test("what it does not know is refused loudly", async () => {
		const reboot = bench.client.send(new RebootInstancesCommand({ InstanceIds: ["i-00000000000000001"] }));
		await expect(reboot).rejects.toMatchObject({ name: "InvalidAction" });
		await expect(run({ DryRun: true })).rejects.toMatchObject({ name: "UnknownParameter" });
		const loud = bench.log.filter(({ level }) => level === "error");
		expect(loud).toMatchObject([{ code: "InvalidAction" }, { code: "UnknownParameter" }]);
		expect(loud[1]?.["message"]).toContain("DryRun");
	});

	test.each([
		{ body: "", code: "MissingAction" },
		{ body: "Action=DescribeInstances&Version=2013-01-01", code: "InvalidAction" },
		{ body: "Action=StopInstances&Version=2016-11-15", code: "MissingParameter" },
		{ body: "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1", code: "InvalidInstanceID.Malformed" },
		{ body: "Action=DescribeInstances&Version=2016-11-15&MaxResults=4", code: "InvalidParameterValue" },
		{ body: "Action=DescribeInstances&Version=2016-11-15&NextToken=%3F", code: "InvalidNextToken" },
		{ body: "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=vpc-id", code: "InvalidParameterValue" },
	])("$code for “$body”", async ({ body, code }) => {
		const answer = await fetch(bench.emulated.endpoint, { method: "POST", body });
		expect(answer.status).toBe(400);
		const text = await answer.text();
		expect(text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<Response><Errors><Error><Code>/);
		expect(text).toContain(`<Code>${code}</Code><Message>`);
		expect(text).toMatch(/<RequestID>[0-9a-f-]{36}<\/RequestID><\/Response>$/);
	});

	test("is understood by the SDK, in all that it says of an instance", async () => {
		const text = `<a href="x">&amp; 'ü'`;
		const given = await run({
			ClientToken: "t-1",
			MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1, HttpEndpoint: "enabled" },
			TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "Name", Value: text }] }],
			InstanceMarketOptions: { MarketType: "spot" },
		});
		const startedAt = bench.time.now();
		const shown = await bench.client.send(new DescribeInstancesCommand({}));
		expect(shown.Reservations).toHaveLength(1);
		const { $metadata: _, ...answer } = given;
		expect(shown.Reservations?.[0]).toEqual(answer);
		expect(answer.OwnerId).toBe("123456789012");
		expect(answer.Instances).toEqual([
			{
				InstanceId: expect.stringMatching(/^i-0[0-9a-f]{16}$/),
				ImageId: "ami-0burst",
				State: { Code: 0, Name: "pending" },
				InstanceType: "c7g.large",
				LaunchTime: new Date(startedAt),
				Placement: { AvailabilityZone: "eu-central-1a", GroupName: "", Tenancy: "default" },
				SubnetId: "subnet-0a",
				ClientToken: "t-1",
				Tags: [{ Key: "Name", Value: text }],
				InstanceLifecycle: "spot",
				MetadataOptions: {
					State: "applied",
					HttpTokens: "required",
					HttpPutResponseHopLimit: 1,
					HttpEndpoint: "enabled",
				},
			},
		]);
	});

	test("gives a list in pages, also when instances come and go in between", async () => {
		const ids = await launch(7);
		const page = (NextToken?: string) =>
			bench.client.send(new DescribeInstancesCommand({ MaxResults: 5, ...(NextToken ? { NextToken } : {}) }));
		const shown = ({ Reservations = [] }: Awaited<ReturnType<typeof page>>) =>
			Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId));
		const first = await page();
		expect(shown(first)).toEqual(ids.slice(0, 5));
		await bench.emulated.lose(ids[4] ?? "", { forgotten: true });
		const late = await launchOne();
		const second = await page(first.NextToken);
		expect(shown(second)).toEqual([...ids.slice(5), late]);
		expect(second.NextToken).toBeUndefined();
	});
});

describe("stop", () => {
	test("powers everything off, keeps the disks, and nothing comes after it", async () => {
		const [a = "", b = ""] = await launch(2);
		await bench.settle();
		await bench.ec2.stop([b]);
		const told = bench.events.length;
		await bench.emulated.stop();
		expect(bench.time.idle).toBe(true);
		expect(machineOf(a).did).toEqual(["on", "off"]);
		expect(machineOf(b).did).not.toContain("destroy");
		await bench.time.advance(BOOT_MS);
		expect(bench.events).toHaveLength(told);
		await expect(bench.ec2.describe()).rejects.toMatchObject({ kind: "unknown" });
		await bench.emulated.stop();
	});

	test("also of instances that still boot", async () => {
		const id = await launchOne();
		await bench.emulated.stop();
		await bench.time.advance(BOOT_MS * 2);
		expect(machineOf(id).did).toEqual(["off"]);
		expect(bench.emulated.history()).toMatchObject([{ billed: [] }]);
	});
});

describe("the adapter's launch", () => {
	const settings = parseBurstSettings({
		BURST_STACK: "burst-dialer-test",
		BURST_LAUNCH_TEMPLATE: "lt-0burst",
		BURST_SUBNETS: "subnet-0a",
	});
	/** What is sent, by the SDK itself. */
	const sent = async (market: Offering["market"]): Promise<Record<string, string>> => {
		let body = "";
		const client = new EC2Client({
			endpoint: bench.emulated.endpoint,
			region: "eu-central-1",
			credentials: { accessKeyId: "local", secretAccessKey: "local" },
		});
		client.middlewareStack.add(
			(next) => (args) => {
				body = String((args.request as { body: string }).body);
				return next(args);
			},
			{ step: "finalizeRequest" },
		);
		await ec2Adapter(client, settings).launch({
			clientToken: `t-${market}`,
			offering: { ...OFFERING, market },
			count: 4,
		});
		client.destroy();
		return Object.fromEntries(new URLSearchParams(body));
	};
	const tags = (at: number, resource: string, token: string) => ({
		[`TagSpecification.${at}.ResourceType`]: resource,
		[`TagSpecification.${at}.Tag.1.Key`]: STACK_TAG,
		[`TagSpecification.${at}.Tag.1.Value`]: "burst-dialer-test",
		[`TagSpecification.${at}.Tag.2.Key`]: LAUNCH_TAG,
		[`TagSpecification.${at}.Tag.2.Value`]: token,
		[`TagSpecification.${at}.Tag.3.Key`]: "Name",
		[`TagSpecification.${at}.Tag.3.Value`]: "burst-dialer-test-burst",
	});
	const common = (token: string) => ({
		Action: "RunInstances",
		Version: "2016-11-15",
		"LaunchTemplate.LaunchTemplateId": "lt-0burst",
		"LaunchTemplate.Version": "$Latest",
		InstanceType: "c7g.large",
		SubnetId: "subnet-0a",
		MinCount: "1",
		MaxCount: "4",
		ClientToken: token,
		...tags(1, "instance", token),
		...tags(2, "volume", token),
		...tags(3, "network-interface", token),
		"MetadataOptions.HttpTokens": "required",
		"MetadataOptions.HttpPutResponseHopLimit": "1",
		"MetadataOptions.HttpEndpoint": "enabled",
	});

	test("on demand: what it leaves to the template, and what it says itself", async () => {
		expect(await sent("on-demand")).toEqual({ ...common("t-on-demand"), InstanceInitiatedShutdownBehavior: "stop" });
	});

	test("spot: bought once, and terminated in the end", async () => {
		expect(await sent("spot")).toEqual({
			...common("t-spot"),
			...tags(4, "spot-instances-request", "t-spot"),
			InstanceInitiatedShutdownBehavior: "terminate",
			"InstanceMarketOptions.MarketType": "spot",
			"InstanceMarketOptions.SpotOptions.SpotInstanceType": "one-time",
			"InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior": "terminate",
		});
	});

	test("where the settings name what is not there, that is said, with how to mend it", async () => {
		const wrong = ec2Adapter(bench.client, { ...settings, launchTemplate: "lt-0gone" });
		const asked = wrong.launch({ clientToken: "t-1", offering: OFFERING, count: 2 });
		await expect(asked).rejects.toMatchObject({
			kind: "configuration",
			code: "InvalidLaunchTemplateId.NotFound",
			message: expect.stringMatching(/2 c7g\.large in subnet-0a, on-demand.*lt-0gone.*BURST_LAUNCH_TEMPLATE/),
			cause: expect.objectContaining({ name: "InvalidLaunchTemplateId.NotFound" }),
		});
		expect(await ec2Adapter(bench.client, { ...settings, addressPool: [] }).addresses()).toEqual([]);
	});
});

describe("the process's client", () => {
	const ENV = ["AWS_ENDPOINT_URL_EC2", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const;
	const before = ENV.map((name) => process.env[name]);
	afterEach(() => {
		for (const [at, name] of ENV.entries()) {
			if (before[at] === undefined) delete process.env[name];
			else process.env[name] = before[at];
		}
	});

	test("repeats once what was not answered, and nothing that was refused", async () => {
		process.env["AWS_ENDPOINT_URL_EC2"] = bench.emulated.endpoint;
		process.env["AWS_REGION"] = "eu-central-1";
		process.env["AWS_ACCESS_KEY_ID"] = "local";
		process.env["AWS_SECRET_ACCESS_KEY"] = "local";
		const settings = parseBurstSettings({
			BURST_STACK: "burst-dialer-test",
			BURST_LAUNCH_TEMPLATE: "lt-0burst",
			BURST_SUBNETS: "subnet-0a",
		});
		const ec2 = ec2Adapter(ec2Client(), settings);
		bench.setFaults({ loseAnswers: 1 });
		expect(await ec2.launch({ clientToken: "t-1", offering: OFFERING, count: 1 })).toHaveLength(1);
		expect(bench.emulated.calls()).toEqual({ RunInstances: 2 });
		expect(bench.emulated.history()).toHaveLength(1);

		bench.setFaults({ loseAnswers: 2 });
		await expect(ec2.describe()).rejects.toMatchObject({ kind: "unknown" });
		expect(bench.emulated.calls()).toMatchObject({ DescribeInstances: 2 });

		bench.setFaults({ noCapacity: ["*/*"] });
		const launched = ec2.launch({ clientToken: "t-2", offering: OFFERING, count: 1 });
		await expect(launched).rejects.toMatchObject({ kind: "noCapacity" });
		expect(bench.emulated.calls()).toMatchObject({ RunInstances: 3 });
		bench.setFaults({ throttle: 1 });
		await expect(ec2.describe()).rejects.toMatchObject({ kind: "throttled" });
		expect(bench.emulated.calls()).toMatchObject({ DescribeInstances: 3 });
		ec2Client().destroy();
	});
});
