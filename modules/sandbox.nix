# The sandbox of our units: nats-server's own util/nats-server-hardened.service; each departure says so and why. Instead of its
# ReadWritePaths there is a StateDirectory, and the file limit follows the connections that are allowed.
{
  CapabilityBoundingSet = "";
  AmbientCapabilities = ""; # beyond upstream: said, not left to a default
  LockPersonality = true;
  MemoryDenyWriteExecute = true;
  NoNewPrivileges = true;
  PrivateDevices = true;
  PrivateIPC = true;
  PrivateMounts = true; # beyond upstream: nothing it could mount is seen outside
  PrivateTmp = true;
  PrivateUsers = true;
  ProcSubset = "pid";
  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectHome = true;
  ProtectHostname = true;
  ProtectKernelLogs = true;
  ProtectKernelModules = true;
  ProtectKernelTunables = true;
  ProtectProc = "invisible";
  ProtectSystem = "strict";
  ReadOnlyPaths = "/run"; # beyond upstream: with ProtectProc and the like, systemd's "strict" leaves it writable
  RemoveIPC = true; # beyond upstream: nothing of it stays behind
  RestrictAddressFamilies = [
    "AF_INET"
    "AF_INET6"
    "AF_UNIX" # beyond upstream: name resolution through nscd, and the journal's socket
  ];
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  SystemCallArchitectures = "native"; # beyond upstream: no way around the filter through 32-bit calls
  SystemCallFilter = [
    "@system-service"
    "~@privileged"
    "~@resources"
  ];
  SystemCallErrorNumber = "EPERM"; # beyond upstream: a refusal shows in the log, not as a kill
  UMask = "0077";
}
