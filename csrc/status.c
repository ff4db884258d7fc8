#include "status.h"

bytes status_phrase(unsigned status)
{
  switch (status) {
  case 400: return BYTES("Bad Request");
  case 408: return BYTES("Request Timeout");
  case 413: return BYTES("Content Too Large");
  case 414: return BYTES("URI Too Long");
  case 417: return BYTES("Expectation Failed");
  case 421: return BYTES("Misdirected Request");
  case 431: return BYTES("Request Header Fields Too Large");
  case 500: return BYTES("Internal Server Error");
  case 501: return BYTES("Not Implemented");
  case 503: return BYTES("Service Unavailable");
  case 505: return BYTES("HTTP Version Not Supported");
  default: return BYTES("");
  }
}
