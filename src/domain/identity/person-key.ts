/** A key of maps. An organization's id holds no slash, so that no two persons share one. */
export const keyOf = (organizationId: string, id: string): string => `${organizationId}/${id}`;
