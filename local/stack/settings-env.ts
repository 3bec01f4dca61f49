import { parseSettings, type Settings, settingsSchema } from "../../shared/config/settings.ts";

const envName = (key: string): string => key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase();

/**
 * The settings as environment variables of the functions: those of `env`, and `changes` over them.
 * Throws a ConfigError that names every mistake.
 */
export const settingsEnv = (
	env: Record<string, string | undefined>,
	changes: Partial<Settings> = {},
): Record<string, string> => {
	const variables: Record<string, string> = {};
	for (const key of Object.keys(settingsSchema.shape) as (keyof Settings)[]) {
		const value = changes[key] ?? env[envName(key)];
		if (value !== undefined && value !== "") variables[envName(key)] = String(value);
	}
	parseSettings(variables);
	return variables;
};
