namespace Carrel.Deskd.Tests.World;

/// <summary>A private PulseAudio with the virtual speaker of a computer.</summary>
internal sealed class SoundServer : IDisposable
{
    private const string Program = "/usr/bin/pulseaudio";
    private readonly string _folder = Directory.CreateTempSubdirectory("carrel-pulse-").FullName;
    private RunningProgram? _process;

    public SoundServer(bool start = true)
    {
        if (!File.Exists(Program))
        {
            throw new InvalidOperationException($"{Program} is missing: install pulseaudio and pulseaudio-utils");
        }

        if (start)
        {
            Start();
        }
    }

    public string Socket => Path.Combine(_folder, "native");

    public void Start() => _process = new RunningProgram(
        "/usr/bin/env",
        [
            $"HOME={_folder}", $"XDG_RUNTIME_DIR={_folder}", Program, "-n", "--daemonize=no", "--use-pid-file=no", "--high-priority=no",
            "--realtime=no", "--exit-idle-time=-1", "--log-target=stderr", "-F", Script(),
        ],
        display: 0,
        Path.Combine(_folder, "log"));

    public void Kill()
    {
        _process!.Dispose();
        _process = null;
    }

    /// <summary>Plays raw s16le stereo at 48 kHz until its end or until disposed.</summary>
    public RunningProgram Play(string file) => Client(
        $"exec pacat --playback --raw --format=s16le --rate=48000 --channels=2 --latency-msec=20 {file}");

    /// <summary>Runs a program that talks to this PulseAudio.</summary>
    public RunningProgram Client(string command, string? output = null) => new(
        "/usr/bin/env",
        [$"HOME={_folder}", $"PULSE_SERVER=unix:{Socket}", "/bin/sh", "-c", command],
        display: 0,
        output);

    /// <summary>Waits until it answers a client: what a stream needs is there then.</summary>
    public async Task AnswersAsync()
    {
        var answer = Path.Combine(_folder, "answer");
        File.Delete(answer);
        using var client = Client("until pactl info; do sleep 0.05; done; echo answered", answer);
        await Eventually.Is(() => File.ReadAllText(answer), text => text.EndsWith("answered\n", StringComparison.Ordinal));
    }

    /// <summary>Threads of this process that serve a connection to a PulseAudio.</summary>
    public static int Threads() => Directory.EnumerateDirectories("/proc/self/task")
        .Count(task => File.Exists($"{task}/comm") && File.ReadAllText($"{task}/comm") == "pulse\n");

    /// <summary>A file that holds a tone, or silence for 0 Hz.</summary>
    public string Tone(double hertz, double seconds, bool left = true, bool right = true)
    {
        var file = Path.Combine(_folder, FormattableString.Invariant($"tone-{hertz}-{seconds}"));
        using var writer = new BinaryWriter(File.Create(file));
        for (var i = 0; i < seconds * 48_000; i++)
        {
            var sample = (short)(10_000 * Math.Sin(2 * Math.PI * hertz * i / 48_000));
            writer.Write(left ? sample : (short)0);
            writer.Write(right ? sample : (short)0);
        }

        return file;
    }

    public void Dispose()
    {
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Script()
    {
        var file = Path.Combine(_folder, "pulse.pa");
        File.WriteAllText(file, $"""
            load-module module-native-protocol-unix auth-anonymous=1 socket={Socket}
            load-module module-null-sink sink_name=speaker sink_properties=device.description=Speaker rate=48000 channels=2
            set-default-sink speaker

            """);
        return file;
    }
}
