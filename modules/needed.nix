# What an instance has of the files that `nix run .#identity` makes: of each secret what it is for, and what its unit does when it
# changes. sops.nix puts them on the host.
{
  lib,
  fleet,
  # Of an instance's name: the files that options have where nobody names others.
  filesOf,
  # Of a secret's name: where it is on the host.
  runtime,
  # Further names by which others dial the host's servers.
  hostNames,
}:
let
  # What an instance has of these: whatever its own part of the spec names.
  own = instance: instance.spec.${instance.role}.${instance.role};
  names = part: path: lib.elem path (lib.collect lib.isString part);
  used = name: instance: lib.filterAttrs (_: names (own instance)) (filesOf name);

  # Of a server's own certificate: one for each server, also where several share a leaf's name.
  certificate =
    instance:
    let
      node = instance.options.node or null;
      isNodeOfLeaf = instance.role == "leaf" && node != null;
    in
    "certificates/${instance.unit}${lib.optionalString isNodeOfLeaf ".${node}"}.pem";

  # By the option that names the file: what the entry is for, and what its unit does when it changes.
  needs =
    name: instance:
    let
      changes = path: if instance.triggers.isHot path then "reload" else "restart";
      inherit (instance) role;
    in
    {
      keyFile = {
        entry = "${instance.unit}.key";
        onChange = changes [
          role
          "server"
          "tls"
          "keyFile"
        ];
        requirement = {
          kind = "certificateKey";
          certificate = certificate instance;
          usage = if role == "hub" then "server" else "leaf";
        }
        // (if role == "hub" then hubNames else leafNames) name instance;
      };
      credentialsFile = {
        entry = "${instance.unit}.creds";
        # nats-server reads the file at every dial; a link that stands needs no new one.
        onChange = "nothing";
        requirement = {
          kind = "leafCreds";
          leaf = name;
        };
      };
      nkeySeedFile = {
        entry = "${instance.unit}.nk";
        onChange = changes [
          "leaf"
          "nkeySeedFile"
        ];
        requirement = {
          kind = "leafSeed";
          leaf = name;
        };
      };
      storeKeyFile = {
        entry = "${instance.unit}.store.key";
        onChange = "restart";
        requirement.kind = "storeKey";
      };
    };

  # In operator mode, the credentials of what logs in at a hub's node.
  services =
    name: instance:
    let
      entry =
        {
          service,
          account,
          file,
        }:
        let
          id = "${instance.unit}.${account}.${service}.creds";
        in
        lib.optional (file == runtime id) (
          lib.nameValuePair id {
            inherit (instance) unit;
            # Each run reads it.
            onChange = "nothing";
            requirement = {
              kind = "serviceCreds";
              node = name;
              inherit account service;
            };
          }
        );
    in
    lib.listToAttrs (lib.concatMap entry (import ./beside.nix { inherit lib; } instance).logins);

  # What programs on the host itself dial.
  loopback = [
    "localhost"
    "127.0.0.1"
  ];

  # Clients, leaves, routes and gateways dial a node by its address.
  hubNames =
    name: _:
    let
      nodes = lib.concatMap (hub: lib.optional (hub.nodes ? ${name}) hub.nodes.${name}) (
        lib.attrValues fleet.hubs
      );
    in
    {
      commonName = name;
      names = lib.unique (map (node: node.address) nodes ++ [ name ] ++ loopback ++ hostNames);
    };

  # The name by which a hub knows the leaf is in the certificate. Nobody dials a leaf but its own clients and nodes.
  leafNames =
    name: instance:
    let
      leaf = fleet.leaves.${name};
      inherit (leaf) certificate;
      subject = if certificate == null then null else builtins.match "CN=([^,+]+)" certificate;
      node = leaf.nodes.${toString instance.options.node} or null;
      isDialled = names (removeAttrs (own instance) [ "remotes" ]) (filesOf name).certFile;
    in
    {
      commonName = if subject == null then name else lib.head subject;
      names = lib.unique (
        lib.optional (certificate != null && subject == null) certificate
        ++ lib.optionals isDialled (
          lib.optional (node != null) node.address ++ [ name ] ++ loopback ++ hostNames
        )
      );
    };
in
{
  inherit certificate used;

  # What the host's sealed file must hold for an instance.
  entries =
    name: instance:
    services name instance
    // lib.mapAttrs' (_: need: {
      name = need.entry;
      value = {
        inherit (instance) unit;
        inherit (need) onChange requirement;
      };
    }) (builtins.intersectAttrs (used name instance) (needs name instance));
}
