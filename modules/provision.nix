# Instance → the unit that makes its streams, consumers and buckets as declared, each time that its server comes up.
{
  lib,
  # Our node-zone programs: cim-provision.
  cim-node,
}:
instance@{
  name,
  unit,
  role,
  triggers,
  ...
}:
let
  beside = import ./beside.nix { inherit lib; } instance;
  accounts = beside.holding;
  login = beside.login "provision" accounts;
  apply =
    account:
    "${lib.getExe' cim-node "cim-provision"} apply ${beside.quoted "/etc/cim/${name}/jetstream/${account}"} --health /etc/cim/${name}/health.json ${login.flags account}";
in
{
  description = "Streams and buckets of NATS ${role} ${name}";
  documentation = [ "https://docs.nats.io/nats-concepts/jetstream" ];
  # Each start of the server: what it has in memory is gone then.
  wantedBy = [
    "multi-user.target"
    "${unit}.service"
  ];
  bindsTo = [ "${unit}.service" ];
  after = [ "${unit}.service" ];
  startLimitIntervalSec = 0; # a server that does not answer is asked again

  restartTriggers = [ triggers.provision ];

  serviceConfig = import ./sandbox.nix // {
    Type = "oneshot";
    RemainAfterExit = true;
    DynamicUser = true;
    LoadCredential = login.credentials;
    ExecStart = map apply accounts;
    # Everything is as declared, and consent is left over.
    SuccessExitStatus = 1;
    Restart = "on-failure";
    # What is refused stays refused until somebody changes an option.
    RestartPreventExitStatus = 2;
    RestartSec = 30; # it has tried for a minute by then
    TimeoutStartSec = 15 * 60;
  };
}
