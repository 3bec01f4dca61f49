/** The stack's own requests to the API; every other program uses the command line's client. */
export interface ApiClient {
	request<T = Record<string, unknown>>(
		method: string,
		path: string,
		body?: unknown,
		headers?: Record<string, string>,
	): Promise<{ status: number; body: T }>;
}

/** Above any function's time limit. */
const TIMEOUT_MS = 35_000;

export const apiClient = (url: string, token: string): ApiClient => ({
	request: async (method, path, body, headers = {}) => {
		const answer = await fetch(url + path, {
			method,
			headers: {
				authorization: `Bearer ${token}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
				...headers,
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
			signal: AbortSignal.timeout(TIMEOUT_MS),
		});
		const text = await answer.text();
		const json = (answer.headers.get("content-type") ?? "").includes("json");
		return { status: answer.status, body: (json && text !== "" ? JSON.parse(text) : text) as never };
	},
});
