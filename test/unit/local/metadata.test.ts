import { createVerify } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { MachineIdentity } from "../../../local/ec2/types.ts";
import {
	type DocumentSigner,
	type MetadataService,
	makeSigner,
	startMetadata,
} from "../../../local/machine/metadata.ts";

const IDENTITY: MachineIdentity = {
	instanceId: "i-0123456789abcdef0",
	imageId: "ami-00000000000000001",
	instanceType: "c7g.large",
	account: "000000000000",
	region: "us-east-1",
	zone: "us-east-1a",
	pendingAt: Date.parse("2026-01-01T00:00:00.999Z"),
	userData: "",
};
const TTL = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN = "x-aws-ec2-metadata-token";

let signer: DocumentSigner;
let service: MetadataService;
let identity: MachineIdentity;
let now = 0;
beforeAll(async () => {
	signer = await makeSigner();
});
beforeEach(async () => {
	now = 0;
	identity = { ...IDENTITY };
	service = await startMetadata({ identity, userData: "given", address: "127.0.0.1", signer, now: () => now });
});
afterEach(() => service.stop());

const token = async (ttl: string): Promise<Response> =>
	fetch(`${service.url}/latest/api/token`, { method: "PUT", headers: { [TTL]: ttl } });
const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> => {
	const given = await (await token("60")).text();
	return fetch(`${service.url}/latest/${path}`, { headers: { [TOKEN]: given, ...headers } });
};

describe("the metadata service", () => {
	test("tells who the instance is, signed", async () => {
		const document = await (await get("dynamic/instance-identity/document")).text();
		expect(JSON.parse(document)).toMatchObject({
			accountId: "000000000000",
			imageId: "ami-00000000000000001",
			instanceId: "i-0123456789abcdef0",
			pendingTime: "2026-01-01T00:00:00Z",
			privateIp: "127.0.0.1",
			region: "us-east-1",
		});
		const signature = await (await get("dynamic/instance-identity/signature")).text();
		// In lines, as AWS breaks them.
		expect(signature.split("\n").length).toBeGreaterThan(1);
		const bytes = Buffer.from(signature.replaceAll("\n", ""), "base64");
		expect(createVerify("RSA-SHA256").update(document).verify(signer.publicKey, bytes)).toBe(true);
		expect(createVerify("RSA-SHA256").update(`${document} `).verify(signer.publicKey, bytes)).toBe(false);
	});

	test("tells the public address of the moment", async () => {
		expect(await (await get("meta-data/public-ipv4")).text()).toBe("127.0.0.1");
		identity.publicAddress = "198.51.100.7";
		expect(await (await get("meta-data/public-ipv4")).text()).toBe("198.51.100.7");
	});

	test.each([
		["meta-data/instance-id", "i-0123456789abcdef0"],
		["meta-data/ami-id", "ami-00000000000000001"],
		["meta-data/placement/region", "us-east-1"],
		["user-data", "given"],
	])("%s is %s", async (path, expected) => {
		expect(await (await get(path)).text()).toBe(expected);
	});

	test.each(["meta-data/iam/security-credentials/", "meta-data", "", "constructor"])(
		"%j is not there",
		async (path) => {
			expect((await get(path)).status).toBe(404);
		},
	);

	test("without a session's token there is no answer", async () => {
		expect((await fetch(`${service.url}/latest/meta-data/instance-id`)).status).toBe(401);
		expect((await get("meta-data/instance-id", { [TOKEN]: "made up" })).status).toBe(401);
	});

	test("a token ends", async () => {
		const given = await (await token("1")).text();
		const ask = () => fetch(`${service.url}/latest/meta-data/instance-id`, { headers: { [TOKEN]: given } });
		expect((await ask()).status).toBe(200);
		now = 1_000;
		expect((await ask()).status).toBe(401);
	});

	test.each(["0", "21601", "x", "1.5", ""])("no token for %j seconds", async (ttl) => {
		expect((await token(ttl)).status).toBe(400);
	});

	test("what came through a proxy is refused", async () => {
		expect((await get("meta-data/instance-id", { "x-forwarded-for": "10.0.0.1" })).status).toBe(403);
	});
});
