import type { Command } from "commander";
import { TABLE_ENV } from "../../shared/config/resources.ts";
import { DEFAULT_TENANT } from "../../shared/store/items.ts";
import { Context } from "../context.ts";
import { CliError, usageError } from "../errors.ts";
import { instant, NONE, table } from "../format.ts";
import type { Io } from "../io.ts";
import { pointInTime } from "../options.ts";
import { type TokenStore, withAws } from "../token-store.ts";

/** As in serverless.yml: the service's name and the stage are the prefix of every table. */
const tableOfStage = (stage: string): string => `burst-dialer-${stage}-tokens`;

interface StoreOptions {
	stage?: string;
	table?: string;
}

interface CreateOptions {
	host?: string;
	expires?: number;
}

/** The SDK is loaded only by these commands: it takes longer to load than most others take to run. */
const openStore = async (io: Io, options: StoreOptions): Promise<TokenStore> => {
	const given = options.table ?? (options.stage === undefined ? io.env[TABLE_ENV.tokens] : tableOfStage(options.stage));
	if (!given) {
		throw usageError(
			"Which deployment's tokens?",
			`give --stage (as in \`serverless deploy --stage prod\`), or --table, or set ${TABLE_ENV.tokens}`,
		);
	}
	const { dynamoDb } = await import("../../shared/aws/clients.ts");
	return { db: dynamoDb(), table: given };
};

const withStore = (command: Command): Command =>
	command
		.option("--stage <stage>", "stage of the deployment: the table is burst-dialer-<stage>-tokens")
		.option("--table <name>", `name of the table (default: ${TABLE_ENV.tokens})`);

/** `burst-dialer token …` */
export const addTokenCommands = (program: Command, io: Io): void => {
	const token = program
		.command("token")
		.description("make and revoke tokens, directly in DynamoDB with your AWS credentials")
		.addHelpText(
			"after",
			`
These commands do not use the API: the first token must come from somewhere. They need AWS credentials and AWS_REGION,
and permission for the table of tokens. Only a hash of a token is stored: what is lost is made anew.`,
		);

	withStore(token.command("create"))
		.argument("[name]", "what it is for, as shown by `token list`")
		.description("make an operator's token, or another one for a host; printed once")
		.option("--host <host>", "a token for the agent of this enrolled host, in place of one that was lost")
		.option("--expires <when>", "end of its validity: a time, or days as in 90d (default: never)", pointInTime(io.now))
		.addHelpText(
			"after",
			`
Examples:
  $ AWS_PROFILE=ops AWS_REGION=eu-central-1 burst-dialer token create laptop --stage prod
  $ export BURST_DIALER_TOKEN=$(burst-dialer token create ci --stage prod --expires 90d --json | jq -r .token)
  $ burst-dialer token create --host pbx-1 --stage prod         # then revoke the old one: token list, token revoke`,
		)
		.action(async (given: string | undefined, options: StoreOptions & CreateOptions, command: Command) => {
			const context = new Context(io, command);
			const name = given ?? (options.host === undefined ? undefined : `host ${options.host}`);
			if (name === undefined) throw usageError("What is the token for?", "give it a name, as in `token create laptop`");
			const store = await openStore(io, options);
			const { createToken } = await import("../../shared/tokens/tokens.ts");
			const made = await withAws(store, () =>
				createToken(
					{ db: store.db, tables: { tokens: store.table }, now: io.now },
					{
						tenant: DEFAULT_TENANT,
						name,
						kind: options.host === undefined ? "operator" : "host",
						hostId: options.host,
						expiresAt: options.expires,
					},
				),
			);
			const use =
				options.host === undefined
					? `Use it: export BURST_DIALER_TOKEN=${made.token}`
					: `Give it to the agent of host ${options.host}, then revoke the old one.`;
			context.result(
				{ token: made.token, tokenId: made.tokenId, name },
				`Token ${made.tokenId} (${name}), shown this once:\n\n  ${made.token}\n\n${use}`,
			);
		});

	withStore(token.command("list"))
		.description("all tokens; not the secrets, which nobody has")
		.addHelpText("after", "\nExample:\n  $ burst-dialer token list --stage prod")
		.action(async (options: StoreOptions, command: Command) => {
			const context = new Context(io, command);
			const store = await openStore(io, options);
			const { listTokens } = await import("../../shared/tokens/tokens.ts");
			const items = await withAws(store, () =>
				listTokens({ db: store.db, tables: { tokens: store.table }, now: io.now }, DEFAULT_TENANT),
			);
			const shown = items.map(({ tokenId, kind, name, hostId, createdAt, expiresAt, revokedAt }) => ({
				tokenId,
				kind,
				name,
				...(hostId === undefined ? {} : { hostId }),
				createdAt: new Date(createdAt).toISOString(),
				...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
				...(revokedAt === undefined ? {} : { revokedAt: new Date(revokedAt).toISOString() }),
			}));
			const stateOf = (item: (typeof shown)[number]): string =>
				item.revokedAt
					? `revoked ${instant(item.revokedAt)}`
					: item.expiresAt && Date.parse(item.expiresAt) <= io.now()
						? `expired ${instant(item.expiresAt)}`
						: item.expiresAt
							? `until ${instant(item.expiresAt)}`
							: "valid";
			context.result(
				{ items: shown },
				shown.length === 0
					? "There is no token yet: burst-dialer token create --help"
					: table(
							["token", "kind", "name", "host", "created", "state"],
							shown.map((item) => [
								item.tokenId,
								item.kind,
								item.name,
								item.hostId ?? NONE,
								instant(item.createdAt),
								stateOf(item),
							]),
						),
			);
		});

	withStore(token.command("revoke"))
		.argument("<token>", "tokenId as shown by `token list`")
		.description("end a token's validity, within 10 s; known to `token list` a moment after it was made")
		.addHelpText("after", "\nExample:\n  $ burst-dialer token revoke t-0f3c9a1b2c3d4e5f --stage prod")
		.action(async (tokenId: string, options: StoreOptions, command: Command) => {
			const context = new Context(io, command);
			const store = await openStore(io, options);
			const { revokeToken } = await import("../../shared/tokens/tokens.ts");
			const revoked = await withAws(store, () =>
				revokeToken({ db: store.db, tables: { tokens: store.table }, now: io.now }, DEFAULT_TENANT, tokenId),
			);
			if (!revoked) {
				throw new CliError(`There is no token "${tokenId}".`, {
					code: "notFound",
					where: `table ${store.table}`,
					remedy: "see `burst-dialer token list`; give the tokenId, not the token",
				});
			}
			context.result({ tokenId, revoked: true }, `Token ${tokenId} is revoked; it is refused everywhere within 10 s.`);
		});
};
