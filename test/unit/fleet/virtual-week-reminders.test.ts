import { checkWeek } from "./week-checks.ts";

checkWeek("reminders");
