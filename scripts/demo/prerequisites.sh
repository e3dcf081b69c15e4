# Sourced by demo.sh: names everything that is missing, with the command that installs it.

# How this distribution installs: packages for the C compiler with headers, and for Node with npm.
installer() {
	if command -v apt-get >/dev/null; then
		echo "sudo apt-get install $1"
	elif command -v dnf >/dev/null; then
		echo "sudo dnf install $2"
	elif command -v zypper >/dev/null; then
		echo "sudo zypper install $2"
	elif command -v pacman >/dev/null; then
		echo "sudo pacman -S $3"
	elif command -v apk >/dev/null; then
		echo "sudo apk add $4"
	else
		echo "install $1"
	fi
}

missing=0
lacks() {
	printf 'demo: %s\n      install it with: %s\n' "$1" "$2" >&2
	missing=1
}

node_is_recent() {
	node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'
}

compiles() {
	printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' | "${CC:-gcc}" -x c -o /dev/null - 2>/dev/null
}

check_prerequisites() {
	[ "$(uname -s)" = Linux ] && [ "$(uname -m)" = x86_64 ] ||
		lacks "frore freezes programs of Linux on x86-64; this is $(uname -s) on $(uname -m)" 'nothing: use another machine'
	if ! command -v node >/dev/null; then
		lacks 'Node is missing (20.19 or later is needed)' "$(installer 'nodejs npm' 'nodejs npm' 'nodejs npm' 'nodejs npm')"
	elif ! node_is_recent; then
		lacks "Node $(node --version) is too old (20.19 or later is needed)" 'sudo npm install --global node@22'
	fi
	command -v npm >/dev/null || lacks 'npm is missing' "$(installer npm npm npm npm)"
	if ! command -v "${CC:-gcc}" >/dev/null; then
		lacks "the C compiler ${CC:-gcc} is missing" "$(installer 'gcc libc6-dev' 'gcc glibc-devel' 'gcc' 'gcc musl-dev')"
	elif ! compiles; then
		lacks 'the headers of the C library are missing' "$(installer libc6-dev glibc-devel glibc musl-dev)"
	fi
	for tool in readelf strip; do
		command -v $tool >/dev/null || lacks "$tool is missing" "$(installer binutils binutils binutils binutils)"
	done
	[ $missing = 0 ] || exit 1
}
