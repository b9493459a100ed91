"""The proxy's configuration in the chain."""

DOMAIN = "mask.example"


def configuration(ports, centre, site, proxy_protocol):
    """Everything but the panel's own tables. All data centres are one, because TDLib chooses among them."""
    centres = "\n".join(f'"{number}" = "127.0.0.1:{centre}"' for number in (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5))
    return f"""
[general]
use_middle_proxy = false
middle_proxy_nat_probe = false
[general.modes]
classic = false
secure = false
tls = true
[general.links]
show = []
[network]
ipv6 = false
stun_use = false
stun_servers = []
http_ip_detect_urls = []
[server]
port = {ports["proxy"]}
listen_addr_ipv4 = "127.0.0.1"
metrics_listen = "127.0.0.1:{ports["metrics"]}"
proxy_protocol = {str(proxy_protocol).lower()}
proxy_protocol_trusted_cidrs = ["127.0.0.0/8"]
[server.conntrack_control]
inline_conntrack_control = false
[server.api]
listen = "127.0.0.1:{ports["api"]}"
read_only = true
[[server.listeners]]
ip = "127.0.0.1"
[censorship]
tls_domain = "{DOMAIN}"
unknown_sni_action = "mask"
mask = true
mask_dynamic = false
mask_host = "127.0.0.1"
mask_port = {site}
tls_emulation = false
[timeouts]
client_handshake = 5
[[upstreams]]
type = "direct"
bind_addresses = ["127.0.0.1"]
[dc_overrides]
{centres}
"""
