/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/family.h"

#include "catalog/catalog.h"

bool api_service_speaks(const struct service *service, const struct api_ops *ops)
{
	for (size_t i = 0; service && i < service->family_count; i++)
		if (span_eq(service->families[i], span_str(ops->name)))
			return true;
	return false;
}

const struct api_ops *api_choose(const struct http_head *request, const struct service *service,
				 enum api_claim *claim)
{
	const struct api_ops *weak = NULL;

	for (const struct api_ops *const *at = api_table; *at; at++) {
		*claim = (*at)->match(request);
		if (*claim > API_CLAIM_WEAK ||
		    (*claim != API_CLAIM_NO && api_service_speaks(service, *at)))
			return *at;
		if (*claim == API_CLAIM_WEAK && !weak)
			weak = *at;
	}
	*claim = weak ? API_CLAIM_WEAK : API_CLAIM_NO;
	return weak;
}
