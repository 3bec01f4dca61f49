import { generateKeyPairSync, sign } from "node:crypto";
import type { Ec2Instance } from "../../../shared/fleet/ec2.ts";
import type { IdentitySettings } from "../../../shared/hosts/identity.ts";

const REGION = "us-east-1";
/** As long as those of AWS. */
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1_024 });

/** Who is believed: the signer of {@link identityOf}. */
export const identity: IdentitySettings = { region: REGION, keys: [publicKey] };

/** What the metadata service of an instance gives it. */
export const identityOf = (instance: Ec2Instance): { document: string; signature: string } => {
	const document = JSON.stringify({
		instanceId: instance.instanceId,
		accountId: instance.account,
		region: REGION,
		imageId: instance.imageId,
		pendingTime: new Date(Math.floor(instance.launchedAt / 1_000) * 1_000).toISOString(),
	});
	return { document, signature: sign("sha256", Buffer.from(document), privateKey).toString("base64") };
};
