/** Path of a campaign, or of something of it. */
export const campaignPath = (campaignId: string, rest = ""): string =>
	`/v1/campaigns/${encodeURIComponent(campaignId)}${rest}`;

export const trunkPath = (trunkId: string): string => `/v1/trunks/${encodeURIComponent(trunkId)}`;
export const suppressionPath = (list: string, rest = ""): string =>
	`/v1/suppression/${encodeURIComponent(list)}${rest}`;
export const hostPath = (hostId: string, rest = ""): string => `/v1/hosts/${encodeURIComponent(hostId)}${rest}`;
export const PRICES_PATH = "/v1/prices";
