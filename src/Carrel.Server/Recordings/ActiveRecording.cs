using Carrel.Contracts;
using Carrel.Server.Computers;

namespace Carrel.Server.Recordings;

/// <summary>A recording of which something is inside its running computer: being made, or still to be fetched.</summary>
internal sealed class ActiveRecording(Computer computer, MachineSession session, RecordingRow row)
{
    private readonly Lock _gate = new();
    private Task<Outcome<RecordingRow>>? _finish;

    public Computer Computer => computer;

    public MachineSession Session => session;

    public string InstanceId => computer.State.Record.InstanceId;

    public RecordingRow Row { get; set; } = row;

    public ActionNotes? Notes { get; set; }

    /// <summary>It is finished once, however many ask for that: a stop, the end of its ffmpeg, the end of the computer.</summary>
    public Task<Outcome<RecordingRow>> FinishOnce(Func<Task<Outcome<RecordingRow>>> finish)
    {
        lock (_gate)
        {
            return _finish ??= finish();
        }
    }
}
