"""Each kind of manifest: what it states, in its own words, and nothing where it is broken."""

import json
import time

import pytest

from local.github_standin import SHIPPED
from providers.manifests import canonical, priority, read

CASES: dict[str, tuple[str, list[tuple[str, str, str | None]]]] = {
    "package.json": (
        """{
  "name": "mocha",
  "scripts": {"react": "^18.2.0", "test": "mocha"},
  "dependencies": {
    "react": "^18.2.0",
    "@angular/core": "17.0.0",
    "left-pad": "1.3.0",
    "@acme/ui": "workspace:*",
    "shared": "file:../shared"
  },
  "devDependencies": {"mocha": "^10.8.2"},
  "engines": {
    "node": ">=18"
  }
}""",
        [
            ("React", '"react": "^18.2.0",', "^18.2.0"),
            ("Angular", '"@angular/core": "17.0.0",', "17.0.0"),
            ("left-pad", '"left-pad": "1.3.0",', "1.3.0"),
            ("Mocha", '"devDependencies": {"mocha": "^10.8.2"},', "^10.8.2"),
            ("Node.js", '"node": ">=18"', ">=18"),
        ],
    ),
    "composer.json": (
        '{"require": {\n  "php": ">=8.1",\n  "ext-json": "*",\n'
        '  "symfony\\/console": "^6.4",\n  "acme/thing": "1.0"\n}}',
        [
            ("PHP", '"php": ">=8.1",', ">=8.1"),
            ("Symfony", '"symfony\\/console": "^6.4",', "^6.4"),
            ("acme/thing", '"acme/thing": "1.0"', "1.0"),
        ],
    ),
    "pyproject.toml": (
        """[build-system]
requires = ["hatchling"]
[project]
name = "thing"
keywords = ["redis"]
requires-python = ">=3.11"
dependencies = [
    "fastapi[standard]>=0.100 ; python_version > '3.8'",
    "redis",
    'My_Own.Package==1',
]
[project.optional-dependencies]
db = ["psycopg2-binary~=2.9"]
[dependency-groups]
dev = ["pytest>=9", {include-group = "x"}]
[tool.poetry.dependencies]
python = "^3.11"
django = {version = "^5.0", optional = true}
own = {path = "../own"}
[tool.poetry.group.test.dependencies]
hypothesis = "*"
""",
        [
            ("Python", 'requires-python = ">=3.11"', ">=3.11"),
            ("FastAPI", "\"fastapi[standard]>=0.100 ; python_version > '3.8'\",", ">=0.100"),
            ("Redis", '"redis",', None),
            ("My_Own.Package", "'My_Own.Package==1',", "==1"),
            ("Django", 'django = {version = "^5.0", optional = true}', "^5.0"),
            ("Python", 'python = "^3.11"', "^3.11"),
            ("PostgreSQL", 'db = ["psycopg2-binary~=2.9"]', "~=2.9"),
            ("pytest", 'dev = ["pytest>=9", {include-group = "x"}]', ">=9"),
            ("Hypothesis", 'hypothesis = "*"', "*"),
        ],
    ),
    "Pipfile": (
        '[packages]\nflask = "*"\n[dev-packages]\npytest = ">=8"\n',
        [("Flask", 'flask = "*"', "*"), ("pytest", 'pytest = ">=8"', ">=8")],
    ),
    "requirements-dev.txt": (
        "# tools\n-r requirements.txt\n-e .\nDjango==5.0  # the web\nboto3>=1.34,<2 --hash=sha256:ab\n"
        "torch @ https://example.org/torch.whl\nhttps://example.org/x.whl\n./local\nsome_lib\n",
        [
            ("Django", "Django==5.0  # the web", "==5.0"),
            ("AWS SDK", "boto3>=1.34,<2 --hash=sha256:ab", ">=1.34,<2"),
            ("PyTorch", "torch @ https://example.org/torch.whl", None),
            ("some_lib", "some_lib", None),
        ],
    ),
    "go.mod": (
        "module github.com/acme/api\n\ngo 1.22\n\nrequire github.com/jackc/pgx/v5 v5.5.0\n\nrequire (\n"
        "\tgithub.com/gin-gonic/gin v1.9.1\n\tgithub.com/acme/log v0.1.0 // ours\n"
        "\tgolang.org/x/sys v0.1.0 // indirect\n)\n\nreplace github.com/a/b => ../b\n",
        [
            ("Go", "go 1.22", "1.22"),
            ("PostgreSQL", "require github.com/jackc/pgx/v5 v5.5.0", "v5.5.0"),
            ("Gin", "github.com/gin-gonic/gin v1.9.1", "v1.9.1"),
            ("github.com/acme/log", "github.com/acme/log v0.1.0 // ours", "v0.1.0"),
        ],
    ),
    "Gemfile": (
        "source 'https://rubygems.org'\nruby '3.3.0'\ngem 'rails', '~> 7.1'\n# gem 'puma'\ngroup :test do\n"
        "  gem \"rspec-rails\", require: false\nend\ngem('thing')\n",
        [
            ("Ruby", "ruby '3.3.0'", "3.3.0"),
            ("Ruby on Rails", "gem 'rails', '~> 7.1'", "~> 7.1"),
            ("RSpec", 'gem "rspec-rails", require: false', None),
            ("thing", "gem('thing')", None),
        ],
    ),
    "Cargo.toml": (
        '[package]\nname = "x"\nserde = "0"\n[dependencies]\ntokio = { version = "1", features = ["full"] }\n'
        'serde = "1.0"\nmine = { path = "../mine" }\nweb = { package = "axum", version = "0.7" }\n'
        '[dependencies.sqlx]\nversion = "0.8"\n[dev-dependencies]\nproptest = "1"\n',
        [
            ("Tokio", 'tokio = { version = "1", features = ["full"] }', "1"),
            ("Serde", 'serde = "1.0"', "1.0"),
            ("Axum", 'web = { package = "axum", version = "0.7" }', "0.7"),
            ("SQLx", "[dependencies.sqlx]", "0.8"),
            ("proptest", 'proptest = "1"', "1"),
        ],
    ),
    "Dockerfile": (
        "# FROM ruby:3\nARG V=1\nFROM --platform=linux/amd64 node:18 AS build\nRUN echo FROM\nfrom build as again\n"
        "FROM mcr.microsoft.com/dotnet/sdk:8.0\nFROM localhost:5000/acme/base@sha256:ab\nFROM ${BASE}\nFROM scratch\n",
        [
            ("Node.js", "FROM --platform=linux/amd64 node:18 AS build", "18"),
            (".NET", "FROM mcr.microsoft.com/dotnet/sdk:8.0", "8.0"),
            ("localhost:5000/acme/base", "FROM localhost:5000/acme/base@sha256:ab", None),
        ],
    ),
    "docker-compose.yml": (
        'services:\n  db:\n    image: postgres:16-alpine\n  web:\n    build: .\n  cache:\n    image: "redis"  # fast\n',
        [("PostgreSQL", "image: postgres:16-alpine", "16-alpine"), ("Redis", 'image: "redis"  # fast', None)],
    ),
    "pom.xml": (
        """<project>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>3.2.0</version>
  </parent>
  <artifactId>ours</artifactId>
  <dependencies>
    <!-- <dependency><groupId>junit</groupId><artifactId>junit</artifactId></dependency> -->
    <dependency>
      <groupId>org.postgresql</groupId>
      <artifactId>postgresql</artifactId>
      <exclusions><exclusion><groupId>a</groupId><artifactId>b</artifactId></exclusion></exclusions>
    </dependency>
    <dependency><groupId>com.acme</groupId><artifactId>core</artifactId><version>${v}</version></dependency>
  </dependencies>
  <build><plugins><plugin><dependencies><dependency><groupId>p</groupId><artifactId>q</artifactId></dependency>
  </dependencies></plugin></plugins></build>
</project>""",
        [
            ("Spring Boot", "<artifactId>spring-boot-starter-parent</artifactId>", "3.2.0"),
            ("PostgreSQL", "<artifactId>postgresql</artifactId>", None),
            (
                "com.acme:core",
                "<dependency><groupId>com.acme</groupId><artifactId>core</artifactId><version>${v}</version></dependency>",
                "${v}",
            ),
        ],
    ),
    "build.gradle.kts": (
        'plugins {\n  kotlin("jvm") version "1.9.22"\n  id("org.springframework.boot") version "3.2.1"\n}\n'
        "dependencies {\n"
        '  implementation("org.apache.kafka:kafka-clients:3.6.1")\n  testImplementation(libs.junit)\n'
        "  // implementation 'junit:junit:4'\n  runtimeOnly 'com.acme:core'\n"
        '  implementation(platform("io.quarkus:quarkus-bom:3.6"))\n'
        "  compileOnly group: 'org.mockito', name: 'mockito-core', version: '5'\n}\n",
        [
            ("Kotlin", 'kotlin("jvm") version "1.9.22"', "1.9.22"),
            ("Spring Boot", 'id("org.springframework.boot") version "3.2.1"', "3.2.1"),
            ("Apache Kafka", 'implementation("org.apache.kafka:kafka-clients:3.6.1")', "3.6.1"),
            ("com.acme:core", "runtimeOnly 'com.acme:core'", None),
            ("Quarkus", 'implementation(platform("io.quarkus:quarkus-bom:3.6"))', "3.6"),
            ("Mockito", "compileOnly group: 'org.mockito', name: 'mockito-core', version: '5'", None),
        ],
    ),
}


@pytest.mark.parametrize("filename", CASES)
def test_a_manifest_states_its_direct_dependencies_in_its_own_words(filename: str):
    text, expected = CASES[filename]
    found = read(filename, text)
    assert sorted(map(str, found)) == sorted(
        f"Found(technology={name!r}, line={line!r}, version={version!r})" for name, line, version in expected
    )
    assert all(each.line in text for each in found)


@pytest.mark.parametrize("filename", CASES)
@pytest.mark.parametrize(
    "text",
    ["", "\0\0", "{", "[[[", "]" * 50, "<project>", "[1, 2]", "[" * 100_000, '{"a":' * 50_000, "\n" * 199_999],
)
def test_a_malformed_manifest_is_no_finding_and_takes_no_time(filename: str, text: str):
    began = time.thread_time()
    assert read(filename, text) == []
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("package.json", '{"dependencies": ["react"], "devDependencies": {"vue": 3}, "engines": null}'),
        ("pyproject.toml", 'project = 1\ntool = "x"\n'),
        ("pyproject.toml", '[project]\ndependencies = "fastapi"\n[dependency-groups]\ndev = 1\n'),
        ("Cargo.toml", 'dependencies = "tokio"\nworkspace = []\n'),
        ("requirements.txt", "# This file is autogenerated by pip-compile with Python 3.11\nfastapi==0.1\n"),
        ("README.md", "FROM node:18"),
        ("package-lock.json", '{"dependencies": {"react": "1"}}'),
        ("package.json", json.dumps({"dependencies": {"react": "9" * 600}}, indent=1)),
        ("package.json", json.dumps({"dependencies": {"react": "1"}, "x": "y" * 200_001}, indent=1)),
    ],
)
def test_what_is_not_a_statement_is_not_read(filename: str, text: str):
    assert read(filename, text) == []


def test_a_minified_manifest_is_quoted_by_its_part():
    text = json.dumps({"description": "d" * 300, "dependencies": {"react": "19", "koa": "3"}})
    assert [each.line for each in read("package.json", text)] == ['"react": "19",', '"koa": "3"']


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("package.json", '{"dependencies": {' + ", ".join(f'"p{n}": "1"' for n in range(9_000)) + "}}"),
        ("pom.xml", "<dependency><!--<exclusions>" * 7_000 + "</project>"),
        ("requirements.txt", "a" * 199_999),
        ("build.gradle", "Implementation" * 14_000),
        ("Cargo.toml", "[dependencies]\n" + "".join(f'p{n} = "1"\n' for n in range(9_000))),
    ],
)
def test_a_hostile_manifest_is_bounded(filename: str, text: str):
    began = time.thread_time()
    assert len(read(filename, text)) <= 500
    assert time.thread_time() - began < 10


def test_one_package_in_two_sections_keeps_both_lines():
    text = (SHIPPED / "18F" / "18f.gsa.gov" / "package.json").read_text(encoding="utf-8")
    assert [each.line for each in read("package.json", text) if each.technology == "Netlify CMS"] == [
        '"netlify-cms": "^2.10.192",',
        '"netlify-cms": "^2.8.0",',
    ]


def test_manifests_that_say_most_come_first():
    assert priority("README.md") is None
    ranks = [priority(name) for name in ("package.json", "Dockerfile", "dev-requirements.txt", "Dockerfile.test")]
    assert ranks == sorted(rank for rank in ranks if rank is not None)


@pytest.mark.parametrize(
    ("ecosystem", "name", "expected"),
    [
        ("npm", "@11ty/eleventy", "Eleventy"),
        ("npm", "@11ty/eleventy-img", "@11ty/eleventy-img"),
        ("npm", "react-router", "react-router"),
        ("python", "Scikit_Learn", "scikit-learn"),
        ("image", "docker.io/library/node", "Node.js"),
        ("image", "acme/node-tools", "acme/node-tools"),
        ("go", "github.com/aws/aws-sdk-go-v2/service/s3", "AWS SDK"),
        ("elsewhere", "thing", "thing"),
    ],
)
def test_a_known_name_becomes_its_display_name_and_any_other_stays(ecosystem: str, name: str, expected: str):
    assert canonical(ecosystem, name) == expected
