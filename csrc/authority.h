/* uri-host [ ":" port ]: the Host field's value and the authority of a target in absolute-form. */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "bytes.h"

/* Whether `a` is an authority by RFC 9110 section 7.2 and one that a URL parser takes; an empty one
 * is valid. */
bool authority_is_valid(bytes a);

#endif
