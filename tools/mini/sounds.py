"""Sounds of data/mini: synthesised, mono, 16 kHz, two to three seconds, 8 or 16 bits."""

import wave

import numpy as np

RATE_HZ = 16000


def _time(seconds):
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def _tone(frequency_hz, seconds):
    """A sine whose frequency may be an array over time."""
    phase = np.cumsum(np.broadcast_to(frequency_hz, len(_time(seconds)))) / RATE_HZ
    return np.sin(2 * np.pi * phase)


def _noise(rng, seconds, low_hz, high_hz):
    """Noise between two frequencies, of peak 1."""
    count = len(_time(seconds))
    spectrum = np.fft.rfft(rng.normal(size=count))
    frequency = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum[(frequency < low_hz) | (frequency > high_hz)] = 0
    sound = np.fft.irfft(spectrum, count)
    return sound / np.abs(sound).max()


def _decay(seconds, half_life_s):
    return 0.5 ** (_time(seconds) / half_life_s)


def _place(seconds, events):
    """Adds sounds at their start times; what hangs over the end is cut."""
    track = np.zeros(len(_time(seconds)))
    for start_s, sound in events:
        start = int(start_s * RATE_HZ)
        end = min(len(track), start + len(sound))
        track[start:end] += sound[:end - start]
    return track


def _bell(frequency_hz, seconds, half_life_s):
    partials = [(0.5, 0.4), (1, 1), (1.19, 0.6), (1.5, 0.4), (2, 0.5), (2.74, 0.3)]
    return sum(gain * _tone(frequency_hz * ratio, seconds) * _decay(seconds, half_life_s / ratio)
               for ratio, gain in partials)


def _strings(notes, step_s):
    """Struck strings: harmonics that fade the faster the higher they are."""
    def note(frequency_hz):
        return sum(_tone(frequency_hz * k, 0.9) * _decay(0.9, 0.25 / k) / k for k in range(1, 6))
    return [(index * step_s, note(440 * 2 ** (key / 12))) for index, key in enumerate(notes)]


def _click(rng, low_hz, high_hz, seconds=0.05, half_life_s=0.006):
    return _noise(rng, seconds, low_hz, high_hz) * _decay(seconds, half_life_s)


def _rain(rng):
    drops = [(rng.uniform(0, 2.9), rng.uniform(0.2, 0.9) * _click(rng, 1500, 6000, 0.03))
             for _ in range(250)]
    return 0.5 * _noise(rng, 3, 400, 7000) + _place(3, drops)


def _thunder(rng):
    rumble = _noise(rng, 3, 20, 160) * _decay(3, 0.9)
    return rumble + _place(3, [(0.05, 1.6 * _noise(rng, 0.6, 80, 3000) * _decay(0.6, 0.07))])


def _bark(rng):
    pitch = 480 * np.exp(-2.2 * _time(0.22))
    growl = sum(_tone(pitch * k, 0.22) / k for k in range(1, 9)) + _noise(rng, 0.22, 500, 2500)
    return growl * np.sin(np.pi * _time(0.22) / 0.22) ** 0.5


def _chirp(start_hz, end_hz, seconds):
    frequency = np.linspace(start_hz, end_hz, len(_time(seconds)))
    return _tone(frequency, seconds) * np.sin(np.pi * _time(seconds) / seconds)


def _birdsong(rng):
    songs = []
    for start_s in (0.1, 0.5, 0.75, 1.2, 1.6, 2.1, 2.4):
        low = rng.uniform(2200, 3500)
        songs += [(start_s + 0.09 * k, _chirp(low + 700 * (k % 2), low + 1500, 0.08))
                  for k in range(3)]
    return _place(3, songs)


def _heart():
    beat = _tone(55, 0.18) * np.sin(np.pi * _time(0.18) / 0.18)
    return [(start_s + delay_s, gain * beat) for start_s in (0.1, 1.0, 1.9)
            for delay_s, gain in ((0, 1), (0.3, 0.6))]


def _engine(rng):
    pace_hz = np.concatenate([np.full(RATE_HZ, 25.0), np.linspace(25, 75, 2 * RATE_HZ)])
    pulses = sum(_tone(pace_hz * k, 3) / k**0.7 for k in range(1, 12))
    return pulses + 0.8 * _noise(rng, 3, 100, 1500) * (0.6 + 0.4 * _tone(pace_hz, 3))


def _waves(rng):
    swell = 0.15 + np.sin(np.pi * _time(3) / 1.5) ** 4
    return _noise(rng, 3, 150, 4000) * swell


def _footsteps(rng):
    steps = []
    for start_s in np.arange(0.15, 2.9, 0.52):
        steps += [(start_s + rng.uniform(0, 0.14), 0.8 * _click(rng, 800, 7000, 0.08, 0.02))
                  for _ in range(9)]
    return _place(3, steps)


def _wind(rng):
    parts = []
    for low_hz, high_hz, pace_hz in ((150, 500, 0.35), (500, 900, 0.6), (900, 1300, 0.5)):
        parts.append(_noise(rng, 3, low_hz, high_hz) * (0.5 + 0.5 * _tone(pace_hz, 3)))
    return sum(parts)


def _drum(rng):
    def beat(gain):
        fall_hz = 60 + 90 * _decay(0.35, 0.03)
        return gain * (_tone(fall_hz, 0.35) * _decay(0.35, 0.08)
                       + 0.3 * _place(0.35, [(0, _click(rng, 300, 3000))]))
    return _place(2.5, [(k * 0.5, beat(1 if k % 2 == 0 else 0.7)) for k in range(5)])


def _typing(rng):
    starts = np.cumsum(rng.uniform(0.09, 0.22, 17))
    return _place(3, [(s, rng.uniform(0.5, 1) * _click(rng, 1200, 6000)) for s in starts if s < 2.9])


def _phone():
    ring = (_tone(1050, 0.9) + _tone(1320, 0.9)) * (0.5 + 0.5 * np.sign(_tone(20, 0.9)))
    return _place(3, [(0.1, ring), (1.7, ring)])


def _siren():
    frequency_hz = 800 + 350 * np.sin(2 * np.pi * 0.66 * _time(3))
    return sum(_tone(frequency_hz * k, 3) / k**1.5 for k in (1, 2, 3))


# name -> (bits per sample, function of a generator)
_SOUNDS = {
    "birdsong": (8, _birdsong),
    "clock_tick": (8, lambda rng: _place(3, [(0.2 + k, (1 if k % 2 else 0.7)
                                              * _click(rng, 1500, 5000)) for k in range(3)])),
    "dog": (16, lambda rng: _place(2, [(start_s, _bark(rng)) for start_s in (0.1, 0.6, 1.3)])),
    "engine": (8, _engine),
    "footsteps": (8, _footsteps),
    "heartbeat": (8, lambda rng: _place(3, _heart())),
    "melody": (16, lambda rng: _place(2.5, _strings([0, 4, 7, 12, 7, 9, 7, 4, 0], 0.22))),
    "phone": (8, lambda rng: _phone()),
    "rain": (8, _rain),
    "siren": (8, lambda rng: _siren()),
    "thunder": (16, _thunder),
    "waves": (8, _waves),
    "alarm": (8, lambda rng: _place(2.5, [(0.05 + k * 0.25, np.sign(_tone(2000, 0.12)))
                                          for k in range(9)])),
    "church_bell": (16, lambda rng: _place(3, [(k * 0.72, _bell(330, 2.2, 0.4))
                                               for k in range(4)])),
    "drum": (8, _drum),
    "typing": (8, _typing),
    "whistle": (8, lambda rng: _place(2.5, [(0.1 + k * 0.45, _chirp(hz, hz * 0.93, 0.42))
                                            for k, hz in enumerate((1800, 1600, 1400, 1200, 1000))])),
    "wind": (8, _wind),
}


def write(path, name, seed):
    """A WAVE file of a sound of the table above, its peak just below full scale."""
    bits, make = _SOUNDS[name]
    sound = make(np.random.default_rng(seed))
    sound = sound / np.abs(sound).max() * 0.9
    if bits == 16:
        data = np.round(sound * 32767).astype("<i2")
    else:
        data = (np.round(sound * 127) + 128).astype(np.uint8)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(bits // 8)
        file.setframerate(RATE_HZ)
        file.writeframes(data.tobytes())
