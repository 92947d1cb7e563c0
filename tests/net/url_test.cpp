#include "contra4/net/url.h"

#include <gtest/gtest.h>

namespace contra4::net {
namespace {

TEST(Url, OnlyHttpWithAHostIsAccepted) {
  EXPECT_TRUE(is_http_url("http://localhost:8000/v1"));
  EXPECT_TRUE(is_http_url("HTTPS://api.example.com"));
  for (const char* wrong : {"", "localhost:8000", "ftp://a/b", "file:///etc/passwd", "http://",
                            "http:///v1", "https://?x", "http:/a", "javascript://x"}) {
    EXPECT_FALSE(is_http_url(wrong)) << wrong;
  }
}

TEST(Url, HostIsFreeOfUserPortAndBrackets) {
  EXPECT_EQ(url_host("http://user:pw@example.com:80/a?b=c@d"), "example.com");
  EXPECT_EQ(url_host("http://[::1]:8000/v1"), "::1");
  EXPECT_EQ(url_host("http://[::1"), "");
  EXPECT_EQ(url_host("http://host"), "host");
  EXPECT_EQ(url_host("http://host?query"), "host");
}

TEST(Url, UserMayHoldAnAtSign) {
  EXPECT_EQ(url_host("http://me@home@example.com/"), "example.com");
  EXPECT_EQ(printable_url("http://me@home@example.com/"), "http://example.com/");
}

TEST(Url, LoopbackIsRecognised) {
  for (const char* local : {"http://localhost/", "http://LOCALHOST:1", "http://127.0.0.1:8000/v1",
                            "http://127.8.9.1", "http://[::1]/"}) {
    EXPECT_TRUE(is_loopback_url(local)) << local;
  }
  for (const char* remote : {"http://127.0.0.1.example.com/", "http://localhost.example.com",
                             "http://128.0.0.1", "http://127.evil", "http://user:127.0.0.1@a.b"}) {
    EXPECT_FALSE(is_loopback_url(remote)) << remote;
  }
}

TEST(Url, PrintableFormHidesWhatMayBeSecret) {
  EXPECT_EQ(printable_url("https://user:secret@a.b:1/v1/x?key=secret#secret"),
            "https://a.b:1/v1/x");
  EXPECT_EQ(printable_url("http://a.b"), "http://a.b");
  EXPECT_EQ(printable_url("secret@a.b/c?d"), "a.b/c");
  EXPECT_EQ(printable_url(""), "");
}

}  // namespace
}  // namespace contra4::net
