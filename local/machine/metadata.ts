import { createSign, generateKeyPair, type KeyObject, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { closeServer, httpServer, listen } from "../aws/dynamodb/upstream.ts";
import type { MachineIdentity } from "../ec2/types.ts";

/** AWS allows a token up to six hours. */
const MAX_TOKEN_SEC = 21_600;
/** As AWS breaks the signature's lines. */
const SIGNATURE_LINE = 76;
const RSA_BITS = 2_048;
/** Of every instance's interface: nothing goes by it here. */
const MAC = "02:00:00:00:00:01";
/** All instances and carriers are in it. */
const LOCAL_NET = "127.0.0.0/8";

/** What signs identity documents here, in the place of AWS. */
export interface DocumentSigner {
	privateKey: KeyObject;
	/** PEM. */
	publicKey: string;
}

export const makeSigner = async (): Promise<DocumentSigner> => {
	const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: RSA_BITS });
	return { privateKey, publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() };
};

/** The document as AWS writes it; its moment is that of the start, in whole seconds. */
export const identityDocument = (identity: MachineIdentity, privateAddress: string): string =>
	JSON.stringify(
		{
			accountId: identity.account,
			architecture: "arm64",
			availabilityZone: identity.zone,
			billingProducts: null,
			devpayProductCodes: null,
			marketplaceProductCodes: null,
			imageId: identity.imageId,
			instanceId: identity.instanceId,
			instanceType: identity.instanceType,
			kernelId: null,
			pendingTime: new Date(identity.pendingAt).toISOString().replace(/\.\d+Z$/, "Z"),
			privateIp: privateAddress,
			ramdiskId: null,
			region: identity.region,
			version: "2017-09-30",
		},
		null,
		2,
	);

/** Base64 in lines, of the document's bytes. */
export const signDocument = (document: string, signer: Pick<DocumentSigner, "privateKey">): string =>
	(
		createSign("RSA-SHA256")
			.update(document)
			.sign(signer.privateKey, "base64")
			.match(new RegExp(`.{1,${SIGNATURE_LINE}}`, "g")) ?? []
	).join("\n");

export interface MetadataService {
	/** As http://127.3.4.5:40123 */
	url: string;
	stop(): Promise<void>;
}

/** What there is below /latest, by path. */
const contentsOf = (
	identity: MachineIdentity,
	userData: string,
	address: string,
	signer: DocumentSigner,
): Map<string, string> => {
	const document = identityDocument(identity, address);
	return new Map([
		["dynamic/instance-identity/document", document],
		["dynamic/instance-identity/signature", signDocument(document, signer)],
		["meta-data/ami-id", identity.imageId],
		["meta-data/instance-id", identity.instanceId],
		["meta-data/instance-type", identity.instanceType],
		["meta-data/local-ipv4", address],
		["meta-data/placement/availability-zone", identity.zone],
		["meta-data/placement/region", identity.region],
		["meta-data/mac", MAC],
		[`meta-data/network/interfaces/macs/${MAC}/vpc-ipv4-cidr-blocks`, LOCAL_NET],
		...(userData === "" ? [] : [["user-data", userData] as [string, string]]),
	]);
};

/** The instance metadata service of one instance, version 2 only: without a session's token there is no answer. */
export const startMetadata = async (options: {
	identity: MachineIdentity;
	/** Instead of the identity's. */
	userData?: string;
	/** The instance's own; the service listens there. */
	address: string;
	signer: DocumentSigner;
	now?: () => number;
}): Promise<MetadataService> => {
	const { identity, address, signer, now = Date.now } = options;
	const contents = contentsOf(identity, options.userData ?? identity.userData, address, signer);
	/** When each token ends, ms since 1970. */
	const tokens = new Map<string, number>();
	const answer = (req: IncomingMessage): { status: number; body: string; headers?: Record<string, string> } => {
		const path = (req.url ?? "").split("?")[0] ?? "";
		// A request that came through a proxy is none of the instance's own.
		if (req.headers["x-forwarded-for"] !== undefined) return { status: 403, body: "" };
		if (path === "/latest/api/token") {
			if (req.method !== "PUT") return { status: 405, body: "" };
			const ttl = Number(req.headers["x-aws-ec2-metadata-token-ttl-seconds"]);
			if (!Number.isInteger(ttl) || ttl < 1 || ttl > MAX_TOKEN_SEC) return { status: 400, body: "" };
			const token = randomBytes(32).toString("base64");
			tokens.set(token, now() + ttl * 1_000);
			return { status: 200, body: token, headers: { "x-aws-ec2-metadata-token-ttl-seconds": String(ttl) } };
		}
		const until = tokens.get(String(req.headers["x-aws-ec2-metadata-token"]));
		if (until === undefined || until <= now()) return { status: 401, body: "" };
		if (req.method !== "GET") return { status: 405, body: "" };
		const name = /^\/latest\/(.+?)\/?$/.exec(path)?.[1] ?? "";
		// On this machine an instance's own address is the one that others reach it by; an Elastic IP may come while it runs.
		const body = name === "meta-data/public-ipv4" ? (identity.publicAddress ?? address) : contents.get(name);
		return body === undefined ? { status: 404, body: "" } : { status: 200, body };
	};
	const server = httpServer((req: IncomingMessage, res: ServerResponse) => {
		req.resume();
		const { status, body, headers } = answer(req);
		res.writeHead(status, { "content-type": "text/plain", ...headers, "content-length": Buffer.byteLength(body) });
		res.end(body);
	});
	const port = await listen(server, 0, address);
	return { url: `http://${address}:${port}`, stop: () => closeServer(server) };
};
