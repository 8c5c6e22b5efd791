#!/usr/bin/python3
"""Holds http/openapi.yaml against what is served.  Prints TAP.

openapi.py description: whether it is valid, and has the paths that nginx and GET / have.  Needs no PostgREST.
openapi.py answers FILE: whether every answer in FILE is one that it describes.
"""
import json
import re
import sys
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[3]
DIALECT = jsonschema.Draft202012Validator
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# What an object of OpenAPI 3.1 may have, of what this document uses.
OBJECTS = {
    "document": {"openapi", "info", "servers", "security", "paths", "components"},
    "info": {"title", "version", "summary", "description", "license"},
    "operation": {"operationId", "summary", "description", "parameters", "requestBody", "responses"},
    "parameter": {"name", "in", "required", "description", "schema", "explode"},
    "body": {"required", "content", "description"},
    "response": {"description", "headers", "content"},
    "header": {"description", "required", "schema"},
    "components": {"securitySchemes", "parameters", "headers", "responses", "schemas"},
}
count = 0
failed = False


def tell(problems, name):
    global count, failed
    count += 1
    failed = failed or bool(problems)
    print(f"{'not ' if problems else ''}ok {count} - {name}")
    for problem in problems[:20]:
        print(f"#   {str(problem)[:600]}")


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, as its own specification says."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1 or not isinstance(key, str):
                raise yaml.YAMLError(f"{key!r} at {node.start_mark}")
        return super().construct_mapping(node, deep)


def load():
    with open(ROOT / "http/openapi.yaml", encoding="utf-8") as file:
        return yaml.load(file, UniqueKeys)


def lookup(document, reference):
    """What a $ref of this document points to."""
    assert reference.startswith("#/"), reference
    for name in reference[2:].split("/"):
        document = document[name]
    return document


def follow(document, thing):
    return lookup(document, thing["$ref"]) if "$ref" in thing else thing


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation, item.get("parameters", []) + operation.get("parameters", [])


def references(thing):
    if isinstance(thing, dict):
        if isinstance(thing.get("$ref"), str):
            yield thing["$ref"]
        for value in thing.values():
            yield from references(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from references(value)


class Structure:
    """Collects what is not as OpenAPI 3.1 has it."""

    def __init__(self, document):
        self.document, self.problems = document, []

    def need(self, condition, problem):
        if not condition:
            self.problems.append(problem)

    def keys(self, thing, kind, where, required=()):
        self.need(set(thing) <= OBJECTS[kind], f"{where} has {set(thing) - OBJECTS[kind]}")
        self.need(set(required) <= set(thing), f"{where} lacks {set(required) - set(thing)}")

    def schema(self, schema, where):
        try:
            DIALECT.check_schema(schema)
        except jsonschema.SchemaError as error:
            self.problems.append(f"{where}: {error.message}")

    def content(self, content, where):
        for kind, media in content.items():
            self.need(re.fullmatch(r"[a-z]+/[a-z.+-]+", kind) and set(media) == {"schema"}, f"{where}: {kind}")
            self.schema(media["schema"], f"{where} {kind}")

    def response(self, response, where):
        response = follow(self.document, response)
        self.keys(response, "response", where, ["description"])
        for name, header in response.get("headers", {}).items():
            header = follow(self.document, header)
            self.keys(header, "header", f"{where} {name}", ["schema"])
            self.schema(header["schema"], f"{where} {name}")
        self.content(response.get("content", {}), where)

    def parameters(self, parameters, path, where):
        parameters = [follow(self.document, parameter) for parameter in parameters]
        for parameter in parameters:
            self.keys(parameter, "parameter", where, ["name", "in", "schema"])
            self.need(parameter["in"] in ("query", "header", "path"), f"{where}: in {parameter['in']}")
            self.need(parameter["in"] != "path" or parameter.get("required") is True, f"{where}: {parameter['name']} not required")
            self.schema(parameter["schema"], f"{where} {parameter['name']}")
        names = [(parameter["in"], parameter["name"]) for parameter in parameters]
        self.need(len(names) == len(set(names)), f"{where}: a parameter twice")
        self.need({name for place, name in names if place == "path"} == set(re.findall(r"{(\w+)}", path)), f"{where}: path")

    def operation(self, path, method, operation, parameters):
        where = f"{method} {path}"
        self.keys(operation, "operation", where, ["operationId", "summary", "responses"])
        self.parameters(parameters, path, where)
        self.need((method == "post") == ("requestBody" in operation), f"{where}: a body")
        if "requestBody" in operation:
            self.keys(operation["requestBody"], "body", where, ["content"])
            self.content(operation["requestBody"]["content"], where)
        for status, response in operation["responses"].items():
            self.need(status == "default" or re.fullmatch("[1-5][0-9][0-9]", status), f"{where}: {status}")
            self.response(response, f"{where} {status}")
        self.need(any(status < "300" for status in operation["responses"]), f"{where} never succeeds")

    def check(self):
        document = self.document
        self.keys(document, "document", "the document", ["openapi", "info", "paths"])
        self.need(re.fullmatch(r"3\.1\.\d", document["openapi"]), document["openapi"])
        self.keys(document["info"], "info", "info", ["title", "version"])
        self.keys(document["components"], "components", "components")
        for name in [name for part in document["components"].values() for name in part]:
            self.need(re.fullmatch(r"[A-Za-z0-9._-]+", name), f"the name {name}")
        for path, method, operation, parameters in operations(document):
            self.operation(path, method, operation, parameters)
        for name, schema in document["components"]["schemas"].items():
            self.schema(schema, name)
        ids = [operation["operationId"] for _, _, operation, _ in operations(document)]
        self.need(len(ids) == len(set(ids)), "an operationId twice")
        return self.problems


def unresolved(document):
    for reference in references(document):
        try:
            lookup(document, reference)
        except (AssertionError, KeyError):
            yield reference


def unused(document):
    used = set(references(document))
    for part in ("parameters", "headers", "responses", "schemas"):
        for name in document["components"][part]:
            if f"#/components/{part}/{name}" not in used:
                yield f"{part}/{name}"


def nginx_routes():
    """{"GET /backups/{id}"} of nginx's maps, and {resource: the methods that Allow names}."""
    text = (ROOT / "http/backup_service.conf").read_text(encoding="utf-8")
    maps = {name: re.findall(r"^\s+(\"[^\"]*\"|\S+)\s+(.+?);$", body, re.M)
            for name, body in re.findall(r"^map (?:\"[^\"]*\"|\S+) \$(\w+) {\n(.*?)^}", text, re.M | re.S)}
    paths = {}
    for pattern, resource in maps["bk_resource"]:
        if pattern != "default":
            path = re.fullmatch(r'"~\^(.*)\\z"', pattern)[1]
            paths[resource] = path.replace("(?<bk_id>[^/]+)", "{id}")
    routes = {}
    for pair, function in maps["bk_function"]:
        if pair != "default":
            method, resource = pair.strip('"').split(" ")
            routes[f"{method} {paths[resource]}"] = function
    allowed = {}
    for pattern, methods in maps["bk_allow"]:
        for resource in re.findall(r"[a-z_]+", re.sub(r"\\z", "", pattern)):
            if resource in paths:
                allowed[paths[resource]] = set(methods.strip('"').split(", "))
    return routes, allowed


def endpoints():
    """What GET / tells: the list in its function."""
    text = (ROOT / "sql/61_http_requests.sql").read_text(encoding="utf-8")
    return set(re.findall(r"'((?:GET|POST|DELETE|PUT) /[^']*)'", text[:text.index("backup_service_http.health")]))


def sql_functions():
    text = (ROOT / "sql/62_http_api.sql").read_text(encoding="utf-8")
    return set(re.findall(r"^CREATE FUNCTION backup_service_api\.(\w+)", text, re.M))


def sql_parameters(function):
    """The query parameters that a function knows."""
    text = (ROOT / "sql/61_http_requests.sql").read_text(encoding="utf-8")
    body = text[text.index(f"backup_service_http.{function}("):]
    return set(re.search(r"parameters\(query, '{(.*?)}'", body)[1].split(","))


def check_description():
    document = load()
    tell(Structure(document).check(), "openapi.yaml is valid OpenAPI 3.1")
    tell(list(unresolved(document)), "what it refers to is there")
    tell(list(unused(document)), "and nothing else")
    described = {f"{method.upper()} {path}" for path, method, _, _ in operations(document)}
    routes, allowed = nginx_routes()
    tell(sorted(described ^ set(routes)), "its paths and methods are nginx's")
    tell(sorted(described ^ endpoints()), "and those that GET / tells")
    tell(sorted(set(routes.values()) ^ sql_functions()), "nginx's functions are those of the API")
    tell([path for path in set(allowed) | set(document["paths"]) if allowed.get(path) != methods_of(document, path)],
         "Allow names the methods, HEAD where there is GET")
    version = re.search(r"^default_version = '(.*)'", (ROOT / "backup_service.control").read_text(), re.M)[1]
    tell([] if document["info"]["version"] == version else [document["info"]["version"]], "its version is the extension's")
    for path, method, _, parameters in operations(document):
        names = {follow(document, p)["name"] for p in parameters if follow(document, p)["in"] == "query"}
        if names:
            tell(sorted(names ^ sql_parameters(routes[f"{method.upper()} {path}"])), f"query parameters of {path} are those that are known")


def methods_of(document, path):
    methods = {method.upper() for method in document["paths"].get(path, {}) if method in METHODS}
    return methods | ({"HEAD"} if "GET" in methods else set())


class Answers:
    """Every answer against the description of its path, method and status."""

    def __init__(self, document):
        self.document = document
        self.validators = {}
        self.paths = [(re.compile(re.sub(r"{\w+}", "[^/]+", path) + r"\Z", re.S), path) for path in document["paths"]]

    def validator(self, schema, key):
        if key not in self.validators:
            whole = {"components": self.document["components"], "allOf": [schema]}
            self.validators[key] = DIALECT(whole, format_checker=CHECKER)
        return self.validators[key]

    def described(self, exchange):
        """The operation, or None where nginx refuses the path or the method by itself."""
        target = exchange["target"].split("?")[0]
        item = next((self.document["paths"][path] for pattern, path in self.paths if pattern.match(target)), {})
        method = exchange["method"].lower()
        return item.get("get" if method == "head" else method), item

    def problems(self, exchange):
        operation, item = self.described(exchange)
        status = str(exchange["status"])
        headers = dict(exchange["headers"])
        if operation is None:
            wanted = ("405",) if item else ("404", "400", "405", "414")
            if status not in wanted and not ("%" in exchange["target"] or ".." in exchange["target"]):
                yield f"is not described, and not {' or '.join(wanted)}"
            response = self.document["components"]["responses"]["Error"]
        else:
            if status not in operation["responses"] and int(status) < 400:
                yield "its status is not described"
                return
            response = operation["responses"].get(status) or operation["responses"]["default"]
        response = follow(self.document, response)
        for name, header in response.get("headers", {}).items():
            yield from self.header_problems(name, follow(self.document, header), headers)
        if len(headers) != len(exchange["headers"]):
            yield f"has a header twice: {exchange['headers']}"
        yield from self.content_problems(exchange, response, headers)

    def header_problems(self, name, header, headers):
        value = headers.get(name.lower())
        if value is None:
            if header.get("required"):
                yield f"lacks the header {name}"
        else:
            for error in self.validator(header["schema"], f"header {json.dumps(header)}").iter_errors(value):
                yield f"header {name}: {error.message}"

    def content_problems(self, exchange, response, headers):
        kind = headers.get("content-type", "").split(";")[0]
        if exchange["method"] == "HEAD" or "content" not in response:
            if exchange["body"]:
                yield "has a body"
            return
        if kind not in response["content"]:
            yield f"is {kind or 'of no type'}, not {list(response['content'])}"
        elif kind == "application/json" and exchange["body"]:
            schema = response["content"][kind]["schema"]
            for error in self.validator(schema, json.dumps(schema)).iter_errors(json.loads(exchange["body"])):
                yield f"{error.json_path if hasattr(error, 'json_path') else list(error.path)}: {error.message}"


CHECKER = jsonschema.FormatChecker(formats=())


@CHECKER.checks("date-time")
def is_time(value):
    """As the API writes times.  A year may have more than four digits."""
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4,6}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{6}Z", value))


def expected_failure(exchange):
    """503 where the test has taken the keys away."""
    return exchange["part"] == "table" and exchange["status"] == 503


def check_answers(path):
    document = load()
    answers = Answers(document)
    bad, failures, seen, asked = [], [], set(), 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            exchange = json.loads(line)
            asked += 1
            what = f"{exchange['part']}: {exchange['method']} {exchange['target'][:200]}: {exchange['status']}"
            bad += [f"{what} {problem}" for problem in answers.problems(exchange)]
            if exchange["status"] >= 500 and not expected_failure(exchange):
                failures.append(f"{what} {exchange['body'][:300]}")
            operation, _ = answers.described(exchange)
            if operation and exchange["method"] != "HEAD":
                seen.add((operation["operationId"], str(exchange["status"])))
    tell(bad, f"{asked} answers are as openapi.yaml describes them")
    tell(failures, "none was 5xx but those that were meant")
    missing = [f"{operation['operationId']} {status}" for _, _, operation, _ in operations(document)
               for status in operation["responses"] if status != "default" and (operation["operationId"], status) not in seen]
    tell(missing, "every status that it names was seen")


if sys.argv[1] == "description":
    check_description()
else:
    check_answers(sys.argv[2])
print(f"1..{count}")
sys.exit(failed)
