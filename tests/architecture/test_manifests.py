"""Hold the Kubernetes manifests to Kubernetes' own schemas, and to what the promises need of a deployment."""

from __future__ import annotations

from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml

from schema.settings import Settings
from tests.architecture import sources

FOLDER = sources.ROOT / "deploy/kubernetes"
KUBERNETES = "1.37"
"""The version whose schemas the manifests are held to."""

NOT_OF_KUBERNETES = {"ScaledObject", "Kustomization", "Component"}


@cache
def manifests() -> dict[str, dict[str, Any]]:
    """Return every object of the manifests by kind and name."""
    found = [
        document
        for file in sorted(FOLDER.rglob("*.yaml"))
        if file.name != "kustomization.yaml"
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    ]
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found}


def pods() -> dict[str, dict[str, Any]]:
    """Return the pod that each Deployment and Job makes, by its name."""
    return {
        name: one["spec"]["template"]["spec"]
        for name, one in manifests().items()
        if one["kind"] in {"Deployment", "Job"}
    }


def deployments() -> dict[str, dict[str, Any]]:
    return {name: pod for name, pod in pods().items() if name.startswith("Deployment/")}


def configured() -> dict[str, str]:
    """Return the settings that all processes are given."""
    kustomization = yaml.safe_load((FOLDER / "base/kustomization.yaml").read_text(encoding="utf-8"))
    (generator,) = kustomization["configMapGenerator"]
    return dict(literal.split("=", 1) for literal in generator["literals"])


@pytest.mark.parametrize("name", sorted(manifests()))
def test_each_object_is_one_that_kubernetes_takes(name: str) -> None:
    one = manifests()[name]

    if one["kind"] not in NOT_OF_KUBERNETES:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)


def test_the_schemas_refuse_what_kubernetes_would() -> None:
    wrong = yaml.safe_load((FOLDER / "migrate/job.yaml").read_text(encoding="utf-8"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readOnlyRootFilesystem"] = True

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def test_each_file_belongs_to_a_kustomization() -> None:
    for kustomization in FOLDER.rglob("kustomization.yaml"):
        listed = set(yaml.safe_load(kustomization.read_text(encoding="utf-8"))["resources"])
        assert listed == {file.name for file in kustomization.parent.glob("*.yaml")} - {"kustomization.yaml"}


def test_every_process_of_the_product_has_its_manifest() -> None:
    compose = yaml.safe_load((sources.ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    started = {tuple(one["command"][:2]) for one in compose.values() if one.get("build")}
    shown = {tuple(pod["containers"][0]["args"][:2]) for pod in pods().values()}

    assert started <= shown


@pytest.mark.parametrize("name", sorted(pods()))
def test_no_process_has_rights_that_it_does_not_need(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", sorted(deployments()))
def test_each_process_is_watched(name: str) -> None:
    (container,) = deployments()[name]["containers"]
    ports = {port["name"] for port in container["ports"]}

    assert {container["startupProbe"]["httpGet"]["port"], container["livenessProbe"]["httpGet"]["port"]} <= ports


def test_a_stopping_worker_finishes_its_turns_before_it_is_killed() -> None:
    finishes = float(configured()["FTE_STOP_SECONDS_MAX"])

    assert finishes >= Settings.model_fields["turn_seconds_max"].default
    assert pods()["Deployment/worker"]["terminationGracePeriodSeconds"] >= finishes + 10


def test_a_stopping_gateway_is_sent_nothing_and_ends_in_time() -> None:
    pod = pods()["Deployment/gateway"]
    waits = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])

    assert pod["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/v1/health/ready"
    assert pod["terminationGracePeriodSeconds"] > waits + Settings.model_fields["gateway_stop_seconds_max"].default


def test_what_is_configured_are_settings() -> None:
    assert set(configured()) <= {f"FTE_{field.upper()}" for field in Settings.model_fields}


def test_no_process_shares_the_gateways_secret() -> None:
    secrets = {
        name: {source["secretRef"]["name"] for source in pod["containers"][0]["envFrom"] if "secretRef" in source}
        for name, pod in pods().items()
    }

    assert secrets.pop("Deployment/gateway") == {"fte-http"}
    assert secrets.pop("Job/migrate") == {"fte-owner"}
    assert set(map(frozenset, secrets.values())) == {frozenset({"fte-process"})}


def test_workers_are_scaled_by_what_waits() -> None:
    scaled = manifests()["ScaledObject/worker"]["spec"]
    queries = " ".join(trigger["metadata"]["query"] for trigger in scaled["triggers"])

    assert scaled["scaleTargetRef"]["name"] == "worker"
    assert "fte_conversations{" in queries
    assert "fte_oldest_ready_seconds" in queries


def test_what_comes_in_and_goes_out_is_listed() -> None:
    policies = {name: one["spec"] for name, one in manifests().items() if one["kind"] == "NetworkPolicy"}

    assert policies["NetworkPolicy/nothing-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (ingress,) = policies["NetworkPolicy/gateway"]["ingress"]
    assert [port["port"] for port in ingress["ports"]] == [8080]
    (outside,) = policies["NetworkPolicy/outside"]["egress"]
    assert "169.254.0.0/16" in outside["to"][0]["ipBlock"]["except"]  # where clouds keep their metadata
