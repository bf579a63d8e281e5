# Targets that other services are ordered after: a server that answers and holds what is declared, and all servers of a host.
#
# A link to a hub is no part of it, so that a leaf boots alone. The targets fall with their servers and come back with them.
{ lib }:
let
  # Beside the host's own, these units start it whenever they start themselves.
  target = description: units: {
    inherit description;
    wantedBy = [ "multi-user.target" ] ++ units;
    after = units;
  };
  name = instance: "${instance.unit}-ready";
in
{
  # Whether an instance has a provisioning unit.
  holds,
  # Of one host.
  instances,
}:
lib.listToAttrs (
  map (
    instance:
    let
      units = [
        "${instance.unit}.service"
      ]
      ++ lib.optional (holds instance) "${instance.unit}-provision.service";
    in
    lib.nameValuePair (name instance) (
      target "NATS ${instance.role} ${instance.name} is ready" units // { bindsTo = units; }
    )
  ) instances
)
// lib.optionalAttrs (instances != [ ]) {
  cim-ready =
    let
      all = map (instance: "${name instance}.target") instances;
    in
    # Not bound: one server that comes back would start another that somebody stopped.
    target "All NATS servers of this host are ready" all // { requisite = all; };
}
