import type { PresetName } from '../import-options.ts';
import { googleMerchant } from './google-merchant.ts';
import type { Preset } from './preset.ts';
import { shopify } from './shopify.ts';
import { woocommerce } from './woocommerce.ts';

export const presets: Readonly<Record<PresetName, Preset | null>> = {
  none: null,
  shopify,
  woocommerce,
  'google-merchant': googleMerchant,
};
