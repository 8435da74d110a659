# The dependency graph: one line per module, and nothing else decides it. A module may include its declared modules
# (DEPENDS, always of a lower layer), what those declare in turn, and the external libraries it names (EXTERNAL).
# PURE modules link no clock, entropy, thread, socket or file symbol. SMALL modules are compiled for size: little of
# what a message costs is spent in them, and whatever of a program is mapped counts as its memory. docs/architecture.md
# is generated from this file.
#
#             name     layer
ekiden_module(base     0 PURE DEPENDS EXTERNAL sodium)
ekiden_module(crypto   1 PURE DEPENDS base EXTERNAL sodium openssl)
ekiden_module(wire     1 PURE DEPENDS base EXTERNAL)
ekiden_module(identity 2 PURE DEPENDS crypto wire EXTERNAL)
ekiden_module(noise    2 PURE DEPENDS crypto EXTERNAL)
ekiden_module(flow     2 PURE DEPENDS base EXTERNAL)
ekiden_module(store    2 PURE DEPENDS wire EXTERNAL sodium)
ekiden_module(link     3 PURE DEPENDS identity noise flow EXTERNAL)
ekiden_module(datagram 3 PURE DEPENDS identity noise flow EXTERNAL)
ekiden_module(path     3 PURE DEPENDS identity EXTERNAL)
ekiden_module(realm    3 PURE SMALL DEPENDS identity EXTERNAL)
ekiden_module(session  4 PURE DEPENDS identity store EXTERNAL)
ekiden_module(router   4 PURE DEPENDS path store EXTERNAL)
ekiden_module(dht      4 PURE DEPENDS identity store EXTERNAL)
ekiden_module(bootstrap 4 PURE SMALL DEPENDS identity store EXTERNAL)
ekiden_module(reachability 4 PURE SMALL DEPENDS identity store EXTERNAL)
ekiden_module(lan      4 PURE SMALL DEPENDS identity flow EXTERNAL)
ekiden_module(mailbox  4 PURE DEPENDS identity store EXTERNAL)
ekiden_module(relay    4 PURE DEPENDS path store flow EXTERNAL)
ekiden_module(gossip   4 PURE SMALL DEPENDS identity flow EXTERNAL)
ekiden_module(registry 4 PURE SMALL DEPENDS identity store flow EXTERNAL)
ekiden_module(partition 4 PURE SMALL DEPENDS identity flow EXTERNAL)
ekiden_module(node     5 PURE DEPENDS link datagram session router dht bootstrap reachability lan mailbox relay gossip
              registry partition realm EXTERNAL)
ekiden_module(runtime  6 SMALL DEPENDS node bootstrap
              EXTERNAL boost openssl tls sqlite threads sodium spdlog tomlplusplus json miniupnpc natpmp)
ekiden_module(sim      6 DEPENDS node EXTERNAL tomlplusplus)
ekiden_module(embed    7 DEPENDS runtime EXTERNAL)
ekiden_module(api      7 SMALL DEPENDS runtime EXTERNAL boost json prometheus)
ekiden_module(cli      8 SMALL DEPENDS api EXTERNAL cli11 json threads)
