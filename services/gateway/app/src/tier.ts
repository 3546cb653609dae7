// Which model reads, by the charge and the memory of the phone: services/inference/choose.py for a phone.

interface Battery {
  level: number;
  charging: boolean;
}

const LOW = 0.2;
const HALF = 0.5;
const LITTLE_MEMORY_GB = 1;

export async function tier(): Promise<"full" | "medium" | "light"> {
  const phone = navigator as Navigator & { deviceMemory?: number; getBattery?: () => Promise<Battery> };
  const battery = await phone.getBattery?.().catch(() => null);
  const charge = !battery || battery.charging ? 1 : battery.level;
  if (charge < LOW || (phone.deviceMemory ?? 4) <= LITTLE_MEMORY_GB) return "light";
  return charge < HALF ? "medium" : "full";
}
