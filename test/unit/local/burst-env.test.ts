import { describe, expect, test } from "@jest/globals";
import { burstGiven } from "../../../local/stack/burst-env.ts";
import { ConfigError } from "../../../shared/config/config-error.ts";

const EC2 = {
	launchTemplate: "lt-1",
	types: "c7g.large=0.07,m7g.large=0.5",
	subnets: ["subnet-a", "subnet-b"],
	addressPool: ["eipalloc-1"],
	identityKey: "-----BEGIN PUBLIC KEY-----",
	channelsPerHost: 120,
};
const BURST = { max: 30, bootSec: 5 };

describe("what the deployment is given for burst hosts", () => {
	test("parameters go by the definition, the rest to all functions", () => {
		const { params, env } = burstGiven(BURST, EC2, {}, ["burstImage", "burstMaxHosts", "burstSubnets", "other"]);
		expect(params).toEqual({
			burstImage: "ami-00000000000000001",
			burstMaxHosts: "30",
			burstSubnets: "subnet-a,subnet-b",
		});
		expect(env).toMatchObject({ BURST_BOOT_SEC: "5", BURST_TYPES: EC2.types, BURST_ADDRESS_POOL: "eipalloc-1" });
		// The definition says these by itself.
		for (const name of ["BURST_STACK", "BURST_LAUNCH_TEMPLATE", "BURST_MAX_HOSTS"])
			expect(env).not.toHaveProperty(name);
	});

	test("a definition without parameters gets everything as variables", () => {
		const { params, env } = burstGiven(BURST, EC2, {}, []);
		expect(params).toEqual({});
		expect(env).toMatchObject({ BURST_STACK: "local", BURST_LAUNCH_TEMPLATE: "lt-1", BURST_MAX_HOSTS: "30" });
	});

	test("neither spending nor starts a minute bind before the number of hosts", () => {
		const { env } = burstGiven(BURST, EC2, {}, []);
		expect(Number(env["BURST_MAX_USD_PER_HOUR"])).toBeGreaterThan(30 * 0.5);
		expect(Number(env["BURST_MAX_STARTS_PER_MIN"])).toBeGreaterThanOrEqual(30);
		expect(burstGiven({ ...BURST, max: 2 }, EC2, {}, []).env["BURST_MAX_STARTS_PER_MIN"]).toBe("20");
	});

	test("limits of the environment hold, the emulated EC2 is what it is, and the caller has the last word", () => {
		const given = { BURST_MAX_USD_PER_HOUR: "1", BURST_SUBNETS: "subnet-x", BURST_IDLE_SEC: "7", BURST_WARM_HOSTS: "" };
		const { env } = burstGiven({ ...BURST, settings: { BURST_IDLE_SEC: "3" } }, EC2, given, []);
		expect(env).toMatchObject({
			BURST_MAX_USD_PER_HOUR: "1",
			BURST_SUBNETS: "subnet-a,subnet-b",
			BURST_IDLE_SEC: "3",
		});
		expect(env).not.toHaveProperty("BURST_WARM_HOSTS");
	});

	test("mistakes are all named", () => {
		const wrong = () => burstGiven({ ...BURST, settings: { BURST_LOOK_SEC: "0", BURST_MAX_HOSTS: "-1" } }, EC2, {}, []);
		expect(wrong).toThrow(ConfigError);
		expect(wrong).toThrow(/BURST_MAX_HOSTS[\s\S]*BURST_LOOK_SEC/);
	});
});
