using System.Globalization;
using System.Threading.Channels;

namespace Carrel.Server.Audit;

/// <summary>
/// Writes the audit log: one writer takes what has gathered and writes it in one transaction. Whoever adds an entry can wait until it
/// is written; who does not is held up only when the writer is far behind. At a shutdown all is written; a server that is killed loses at most what
/// nobody waited for.
/// </summary>
internal sealed partial class AuditLog(AuditStore store, TimeProvider clock, ILogger<AuditLog> log) : BackgroundService
{
    private const int Backlog = 4096;
    private const int Batch = 256;
    private readonly Channel<(AuditEntry Entry, TaskCompletionSource? Written)> _queue =
        Channel.CreateBounded<(AuditEntry, TaskCompletionSource?)>(new BoundedChannelOptions(Backlog) { SingleReader = true });

    private long _last;

    /// <summary>Adds an entry and returns when it is in the database, or, where the database failed, when that is in the log.</summary>
    public async Task WriteAsync(AuditEntry entry)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _queue.Writer.WriteAsync((Stamped(entry), written));
        }
        catch (ChannelClosedException)
        {
            await SaveAsync([Stamped(entry)]); // The server ends, and this comes after the writer.
            return;
        }

        await written.Task;
    }

    /// <summary>Adds an entry that is written with the next.</summary>
    public async ValueTask AddAsync(AuditEntry entry)
    {
        try
        {
            await _queue.Writer.WriteAsync((Stamped(entry), null));
        }
        catch (ChannelClosedException)
        {
            await SaveAsync([Stamped(entry)]);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        if (ExecuteTask is { } writing)
        {
            await writing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken);
    }

    /// <summary>Ends when the queue is complete and empty, not when it is told to: what is in it must be written.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<(AuditEntry Entry, TaskCompletionSource? Written)>(Batch);
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < Batch && _queue.Reader.TryRead(out var next))
            {
                batch.Add(next);
            }

            await SaveAsync([.. batch.Select(item => item.Entry)]);
            foreach (var (_, written) in batch)
            {
                written?.SetResult();
            }

            batch.Clear();
        }
    }

    private async Task SaveAsync(IReadOnlyList<AuditEntry> entries)
    {
        try
        {
            await store.WriteAsync(entries);
        }
#pragma warning disable CA1031 // The writer must outlive whatever a database can throw; what was lost stands in the server's log instead.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            foreach (var entry in entries)
            {
                Lost(log, failed, entry.Action, entry.Actor, entry.TargetId, entry.Status, entry.RequestId);
            }
        }
    }

    /// <summary>Ids sort as the entries came, also within a millisecond, and when the clock goes back.</summary>
    private AuditEntry Stamped(AuditEntry entry)
    {
        var now = clock.GetUtcNow();
        long before, id;
        do
        {
            before = Interlocked.Read(ref _last);
            id = Math.Max(now.UtcTicks, before + 1);
        }
        while (Interlocked.CompareExchange(ref _last, id, before) != before);
        return entry with { Id = id.ToString("x16", CultureInfo.InvariantCulture), At = now.ToUnixTimeMilliseconds() };
    }

    [LoggerMessage(1110, LogLevel.Error, "The audit log could not be written: {Action} by {Actor} on {Target} ended with {Status} (request {RequestId})")]
    private static partial void Lost(ILogger log, Exception why, string action, string? actor, string? target, int status, string requestId);
}
