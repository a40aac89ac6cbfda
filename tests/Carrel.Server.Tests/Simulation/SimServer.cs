using Carrel.Machines;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Hosting;
using Carrel.Server.Plans;
using Carrel.Server.State;
using Carrel.Server.Workspaces;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Carrel.Server.Tests.Simulation;

/// <summary>A step that waits for its turn.</summary>
internal sealed record Waiting(string Step, string Id)
{
    public TimeSpan NotBefore { get; set; }

    public TaskCompletionSource<Fault> Turn { get; } = new();
}

/// <summary>A server without its HTTP: the services of the product, over a simulated world.</summary>
internal sealed class SimServer
{
    private readonly SimWorld _world;
    private readonly ServiceProvider _services;

    public SimServer(SimWorld world, Settings settings, DataFolder folder, IIdFactory ids)
    {
        _world = world;
        Life = new Pump.Life(world.Pump);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(world.Clock).AddSingleton(ids).AddSingleton<IMachineHost>(new SimHost(world, this));
        services.AddSingleton<IHostApplicationLifetime>(new Lifetime()).AddLogging(logging => logging.ClearProviders());
        CarrelServer.AddServices(services, settings, folder);
        services.AddSingleton<Database>(new SimDatabase(world, this));
        _services = services.BuildServiceProvider();
    }

    public Pump.Life Life { get; }

    public List<Waiting> Waiting { get; } = [];

    public Task Booted { get; private set; } = Task.CompletedTask;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public void Boot() => Pump.Run(Life, () => Booted = BootAsync());

    public Task<Fault> ComeToAsync(string step, string id)
    {
        var waiting = new Waiting(step, id) { NotBefore = _world.Clock.Now };
        Waiting.Add(waiting);
        return waiting.Turn.Task;
    }

    /// <summary>As <c>kill -9</c>: what is under way never goes on.</summary>
    public void Kill()
    {
        Life.End();
        Waiting.Clear();
    }

    private async Task BootAsync()
    {
        await Get<PlanBook>().LoadAsync();
        await Get<ClientBook>().LoadAsync();
        await Get<Memberships>().LoadAsync();
        await Get<Recovery>().RunAsync(CancellationToken.None);
        await Get<WorkspaceDeletion>().ResumeAllAsync();
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication()
        {
        }
    }
}

/// <summary>Ids out of the seed.</summary>
internal sealed class SimIds(Dice dice) : IIdFactory
{
    public Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, dice.Next());
        BitConverter.TryWriteBytes(bytes[8..], dice.Next());
        return new Guid(bytes);
    }

    public string NewInstanceId() => NewSecret(4);

    public string NewSecret(int bytes) => string.Concat(Enumerable.Range(0, bytes).Select(_ => dice.Below(256).ToString("x2", null)));
}
